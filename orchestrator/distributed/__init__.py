"""Runs on a real bus, spread over processes and machines.

`launcher.py` starts a run with processes of its own; `standby.py` is the other way round, parts
that wait for runs. `orchestrator_process.py`, `host_process.py` and `matchmaker_process.py` are
what each kind of process does. `diagnosis.py` finds out why a part does not reach its bus,
`machine_limits.py` what the machine lacks. `fresh_process.py` starts interpreters that know
nothing of their caller.
"""
