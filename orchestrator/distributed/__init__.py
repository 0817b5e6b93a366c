"""Runs on a real bus, spread over processes and machines.

`launcher.py` starts a run and all its processes; with `standby.py`, parts wait for runs instead.
`orchestrator_process.py`, `host_process.py` and `matchmaker_process.py` contain the work of each
kind of process. `diagnosis.py` finds out why a part cannot use its bus, and `machine_limits.py`
what a machine lacks. `fresh_process.py` starts interpreters that share nothing with their caller.
"""
