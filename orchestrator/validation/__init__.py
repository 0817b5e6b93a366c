"""Validation of coflex against others: reference traces of EPOS, and households written by other
people."""
