"""What a planner who sees everything could do with the same households, to judge a run by.

`plan_descent` and `plan_exact_search` choose plans (stage 1), `exchange_assignment` reassigns the
values of slots (stage 2), `baseline_table` sets a run beside all of them. Pure: no clock, no
global chance.
"""
