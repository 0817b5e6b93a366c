"""Conformance tests of an exchange of bundles: lookups, and talks that either side opens."""
