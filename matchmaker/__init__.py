"""The matchmaker of stage 2: households look up partners here. It takes no decision for them.

matchmaker.py           the machine: answers each lookup once, and repeats the answer when asked
                        again
wave_matchmaker.py      the same, answering all lookups of a wave at once: repeatable
waves.py                which lookups wait, and when a wave begins
leases.py               busy pairs of households, and until when
offer_book.py           the offers, and how well each suits a lookup
pairing_matchmaker.py   the machine for bundles: pairs all households once a round
bundle_book.py          the offers of whole households, and which pairs have failed
pairing.py              the arithmetic of a pairing
amount_matchmaker.py    the machine for amounts: finds one partner after another for a change
amount_book.py          what homes could take more or less, and who refused what
household_rows.py       the rows of whole households in the arrays of both books
trading_matchmaker.py   the machine for the rule ttc: asks households to compare values
value_pool.py           the values at one slot, and the cycles among them

All of it is pure, and may be lost: households repeat their offers to a matchmaker that restarts.
"""
