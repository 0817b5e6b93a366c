"""Monitoring of running parts: log lines, metrics, status, and presence on the bus.

Monitoring changes no decision of a run and shows no plan and no schedule.
"""
