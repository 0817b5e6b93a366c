"""Homes: what the devices of a household can do.

A device is a cycle (an indivisible run of a machine) or a store (anything that fills: a car, a
boiler, a heat pump, a battery), or fits in by the interface `Device`. This folder decides which
schedules a device can follow, what they cost in comfort, and how far energy can be moved between
slots. It exchanges nothing and sends nothing.

Amounts are kWh at the meter per slot, on a dyadic grid (`energy_grid`), so sums are exact.
"""
