"""Runs on a real bus: processes, the embedded server, standing parts and connections."""
