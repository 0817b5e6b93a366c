"""The results of a run: `run_results` as objects, `result_files` as files, `measures` as numbers
that judge a state of the households, `atomic_folder` so that a folder is complete or unchanged.

Other packages compute results (`coordination`) and show them (`reporting`).
"""
