"""The evaluation of the source paper, repeated: its runs, its figures, and a verdict on each claim.

`study_design` says which runs are needed, `study` runs what is missing, `measurements` turns runs
into numbers, `figures` and `claims` make of them what the paper shows and says, `verdict` judges,
and `page` shows all of it. `coflex paper` is the command.
"""
