"""Households: their plans, their mandates, and their decisions in both stages.

household.py       one household through a run: it joins, plans, exchanges, reports and leaves
phases.py          its phases, and which messages are legal in each
mandate.py         what the people of a household allow
plans.py           the plans of a household, and a population of them
retransmission.py  when an unanswered message is sent again

planning/ holds stage 1 (I-EPOS), exchange/ stage 2, population/ the sources of plans, metering/
people's own readings. Everything here but population/, metering/, load_mandates and the SQLite
journal is pure: messages and the time go in, messages come out.
"""
