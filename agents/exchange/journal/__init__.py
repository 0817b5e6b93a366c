"""The journal of stage 2: each decision is written before it is sent.


entries.py           the entries, and a journal in memory
sqlite.py            a journal in a file (the only file here with I/O)
records.py           the parts of an entry that are not plain columns
division.py          the same, for the equal shift
another_exchange.py  the same, for the beginning of a later exchange
home_facts.py        the same, for what the devices of a home are
home_explanation.py  what a home did with its devices, read from its entries
home_sentences.py    the same in words
explanation.py       a household's exchanges and the reasons for them, read from its entries
"""
