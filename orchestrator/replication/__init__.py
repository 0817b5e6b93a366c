"""The evaluation of the paper, repeated: its runs, its figures, and a verdict on each claim.

`study_design` lists the runs, and `study` runs those that are missing. `measurements` turns runs
into numbers; `figures` draws them and `claims` compares them with the paper. `verdict` judges a
claim, and `page` shows everything. The command is `coflex paper`.
"""
