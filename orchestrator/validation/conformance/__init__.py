"""Conformance tests of an external household on the bus; the test plays all other parts of its run.

The household is placed three times in one run, each time with a higher attempt: as a leaf, among
parent and children, and as the root. It is tested against docs/protocol.md; each check names the
section.
"""
