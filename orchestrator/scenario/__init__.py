"""What a run starts from.

`settings.py` holds what people give: the options of the command line and the keys of a TOML file.
`input_files.py` reads the files these options name. `scenario.py` resolves both, once, into a
Scenario: no other module decides what an option that was left out means.
"""
