"""The scenario: the starting point of a run.

`settings.py` has the options of the command line and the keys of a TOML file, as people give them.
`input_files.py` reads the files these options name. `scenario.py` resolves both, once, into a
Scenario; no other module decides the meaning of an omitted option.
"""
