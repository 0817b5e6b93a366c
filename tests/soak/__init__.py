"""Soak: many runs one after another, after which nothing may have grown: memory, descriptors,
files, processes.

`growth.py` says what has grown; `python -m tests.soak` does the runs.
"""
