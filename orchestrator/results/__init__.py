"""The results of a run, as objects and as files.

`run_results` has the objects and `result_files` their files. `measures` judges a state of the
households in numbers, `slot_clock` gives the times of slots, and `command_line` the command that
made a run. `atomic_folder` writes a folder completely or not at all.

Other packages compute results (`coordination`) and show them (`reporting`).
"""
