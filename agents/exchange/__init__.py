"""Stage 2: households exchange values, at single slots or at bundles of slots, so that each comes
closer to its own preferred plan while the sum over all households stays as it is.

stage.py              one household's part: the exchange, then the final sum
trader.py             the rounds, and what all contents have in common
holding.py            the schedule, and what the mandate allows to change
acceptance_rules.py   when a proposal is accepted
disclosure.py         how much an offer reveals
matchmaker_client.py  the conversation with one matchmaker
rounds.py             the rounds along the tree
equal_shift.py        the exchange by one sum along the tree, instead of between pairs
final_sum.py          the sums over all schedules, after the last round
traffic_count.py      frames and bytes that a host sends

Content slot:
slot_exchange.py      one household's exchange of single slots: it joins the next two
partner_search.py     which slots are looked up, and the attempts at each
negotiations.py       proposals and answers, on both sides

contents.py           the choice among the exchanges, and what they have in common

bundles/ has the content bundle, cycles/ the exchange under the rule `ttc`, and journal/ what a
household needs to go on after a crash. All of it but journal/sqlite.py is pure. Nothing here knows
stage 1.
"""
