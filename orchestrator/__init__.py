"""Runs are started, watched, collected and read here; no decision of a household waits for it."""
