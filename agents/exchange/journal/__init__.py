"""The journal of stage 2: each decision is written before it is sent.

entries.py      what is written, and a journal in memory
sqlite.py       a journal in a file (the only file here with I/O)
records.py      the parts of an entry that are not plain columns
explanation.py  what a household did and why, read from its entries
"""
