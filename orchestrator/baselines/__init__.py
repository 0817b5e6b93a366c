"""Baselines: what a planner with full knowledge could reach with the same households, as a standard
for a run.

`plan_descent` and `plan_exact_search` choose plans (stage 1), `exchange_assignment` and
`day_assignment` reassign the values of slots (stage 2), and `baseline_table` compares a run with
all of them. Pure: no clock, no global random state.
"""
