"""Readings of households over time, their checks, and the days that are complete.

Decides at which instant a reading counts (local_time), which households there are
(household_names), which readings cannot be true (reading_checks), and which days have all of
theirs (complete_days).
"""
