"""The study of homes (`coflex study`): what devices can follow, what each content reaches, and how
far a planner with full knowledge of all devices would come.

`study.py` does the runs; `home_programs.py` states homes as linear programs with whole numbers.
"""
