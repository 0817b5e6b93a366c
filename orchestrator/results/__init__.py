"""The results of a run: `run_results` as objects, `result_files` as files, `measures` as numbers
that judge a state of the households, `slot_clock` for the times of slots, `command_line` for what
was typed, `atomic_folder` so that a folder is complete or unchanged.

Other packages compute results (`coordination`) and show them (`reporting`).
"""
