"""Coordination of one run, on the bus or in simulation.

`coordinator.py` is the machine that enrols households, places them in the tree, starts them and
collects their results. `placement.py` assigns households to hosts, `nodes.py` assembles machines
into nodes, `host_files.py` has the files that hosts keep, and `outcome.py` turns the reports of a
finished run into results. The simulation, the bus and the replay of reference traces share this
code.
"""
