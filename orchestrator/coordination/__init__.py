"""Coordination of a run, wherever it takes place.

The coordinator is the machine that enrols households, places them in the tree, starts them and
collects their results. Beside it are the placement of households on hosts (placement), the nodes
made of machines (nodes), the files that hosts keep (host_files), and the results of a finished run
(outcome). The same code serves the simulation, the bus and the replay of reference traces.
"""
