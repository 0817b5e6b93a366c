"""What the columns of a meter file hold: times, households, readings, or something else.

Decides by options first, then by known formats, then by names and cells, and asks where these do
not agree. layout turns a row for each day or series into a row for each reading; cells makes kWh
or kW of them.
"""
