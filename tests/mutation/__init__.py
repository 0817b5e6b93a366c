"""Mutation tests: the deciding modules are changed, one place at a time, and tests must notice.

`make mutants` runs all groups of `groups.py`, `make mutants ONLY=matchmaker` one of them. mutmut
makes the mutants and runs the tests; this package prepares its working copies, reads its results,
and compares what survived with the defended list in `survivors.toml`.
"""
