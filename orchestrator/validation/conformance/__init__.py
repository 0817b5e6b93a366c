"""Tests of a household that somebody else wrote, on the bus: we play everybody else in its run.

It is placed three times in one run, each time with a higher attempt: as a leaf, among children, as
the root. docs/protocol.md is what it is held against; each check says where there.
"""
