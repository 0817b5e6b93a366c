"""People's own meter readings: reading files, local time, and days made from them."""
