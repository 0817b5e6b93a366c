"""How a run is coordinated, wherever it takes place.

The coordinator is the machine that enrols households, places them in the tree, starts them and
collects their results. Around it: which household lives on which host (placement), how machines
become nodes (nodes), what hosts leave on disk (host_files), and what a finished run amounts to
(outcome). The same code serves the simulation, the bus and the replay of reference traces.
"""
