"""How numbers, times and units are written in meter files.

Decides what a piece of text means, and refuses what could mean two things: number_format (decimal
and thousands signs), time_format (dates, times, epochs), units (Wh to MW).
"""
