"""Mutation tests: the deciding modules are changed, one place at a time, and tests must notice.

`make mutants` runs all groups of `groups.py`, and `make mutants ONLY=matchmaker` one of them.
mutmut makes the mutants and runs the tests. This package prepares its working copies, reads its
results, and compares the survivors with the defended ones in `survivors.toml`.
"""
