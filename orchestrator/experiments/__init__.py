"""Many runs instead of one.

Sweeps: `sweep_grid` lists the runs, `sweep_runs` runs those that are missing, and `sweep_table`
makes tables. Comparisons: `compared_configurations` groups runs by configuration, and `comparison`
compares them, with figures and a page. `statistics` computes the confidence of means and
differences. `interruption` makes Ctrl-C and kill harmless.
"""
