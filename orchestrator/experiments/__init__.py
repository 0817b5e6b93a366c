"""Many runs instead of one.

Sweeps: `sweep_grid` lists the runs, `sweep_runs` runs what is missing, `sweep_table` makes tables.
Comparisons: `comparison_sides` groups runs by configuration, `comparison` compares them, with
figures and a page. `statistics` says how sure a mean or a difference is; `interruption` makes
Ctrl-C and kill harmless.
"""
