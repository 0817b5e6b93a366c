"""Checks against the outside: reference traces of EPOS, and other people's households."""
