"""Conformance tests of an exchange of amounts: announcements, and talks that either side opens."""
