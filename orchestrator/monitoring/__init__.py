"""Monitoring of a running part: log lines, metrics, status, and presence on the bus.

Nothing here changes a decision of a run, and nothing here shows a plan or a schedule.
"""
