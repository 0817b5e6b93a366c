"""Stage 2: households exchange the values of single slots, so that each comes closer to its own
preferred plan while the sum over all households stays as it is.

stage.py              one household's part: the exchange, then the final sum
trader.py             the exchange itself: it joins the files below
holding.py            the schedule, and what the mandate allows to change
acceptance_rules.py   when a proposal is accepted
disclosure.py         how much an offer reveals
partner_search.py     which slots are looked up, and the attempts at each
matchmaker_client.py  the conversation with one matchmaker
negotiations.py       proposals and answers, on both sides
rounds.py             the rounds along the tree
equal_shift.py        the exchange by one sum along the tree, instead of between pairs
final_sum.py          the sums over all schedules, after the last round
traffic_count.py      frames and bytes that a host sends

journal/ keeps what a household needs to go on after a crash. All of it but journal/sqlite.py is
pure. Nothing here knows stage 1.
"""
