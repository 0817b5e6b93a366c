"""Simulation: whole runs in one process, with the same nodes as on the bus, on a simulated network.

`network.py` delivers frames in virtual time, and can lose, duplicate, delay and reorder them.
`simulator.py` runs a scenario on it. Nothing here opens a socket or uses NATS.
"""
