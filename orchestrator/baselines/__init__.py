"""Centralised planners and bounds that a run is compared with."""
