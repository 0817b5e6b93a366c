"""The content bundle: two households exchange their values at several slots, all or none, so that
each keeps its own energy.

bundle_exchange.py  one household's exchange of bundles: it joins the others
bundle_talks.py     proposals, counters, confirmations, on both sides
bundle_content.py   what a household proposes, counters with, and confirms
bundle_choice.py    the search for the best bundle
frame_choice.py     the same for all proposals of a frame at once
public_draws.py     partners and shards of a round, drawn by everybody alike
"""
