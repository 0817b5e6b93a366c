"""Chaos: real runs on the bus whose parts are killed, stopped or cut off at odd moments,
by schedules that are drawn from seeds.

`schedule.py` draws a schedule, `strikes.py` knows how each part is struck, `struck_run.py` does the
run, `verdict.py` says whether it kept its promises. `python -m tests.chaos` tries many.
"""
