"""The matchmaker of stage 2: households look up partners here. It takes no decision for them.


matchmaker.py  the machine: answers each lookup once, and repeats the answer when asked again
wave_matchmaker.py, waves.py  the same, answering all lookups of a wave at once: repeatable
leases.py      busy pairs of households, and until when
offer_book.py  the offers, and how well each suits a lookup

All of it is pure, and may be lost: households repeat their offers to a matchmaker that restarts.
"""
