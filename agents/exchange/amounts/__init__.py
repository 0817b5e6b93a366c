"""Content amounts: homes move energy between slots, and each checks its own devices alone.

A home takes over a change of its total, kWh per slot with sum zero; its partners together make the
opposite change. So the sum over all homes moves in no slot, and every home keeps its own energy.
Amounts are multiples of 2^-20 kWh, so nothing is rounded.

This folder decides what a home would change, announces, proposes and accepts.
"""
