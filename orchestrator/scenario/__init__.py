"""The scenario: everything that a run starts from.

`settings.py` defines the options of the command line, which are also the keys of a TOML file.
`input_files.py` reads the files that these options name. `scenario.py` resolves both, once, into a
Scenario; no other module decides the meaning of an omitted option.
"""
