"""Runs in one process on a simulated network with a virtual clock."""
