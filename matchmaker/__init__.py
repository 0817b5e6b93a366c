"""The matchmaker of stage 2: households look up partners here. It never decides for anybody.

matchmaker.py  the machine: answers each lookup once, and repeats the answer when asked again
leases.py      which households are busy with each other, and until when
offer_book.py  what is offered, and how well an offer serves a wish

All of it is pure, and can be lost: households repeat their offers to a matchmaker that restarts.
"""
