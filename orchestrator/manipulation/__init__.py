"""What a household would gain if it said something else than it wants, and what that costs others.

lies.py        what a household may say instead of the truth
dishonesty.py  the messages of a household that lies
stage_two.py   stage 2 in memory, with at most one household that lies
trials.py      all lies of a sample of households, in parallel
summary.py     the table and the figure: the price of truth
"""
