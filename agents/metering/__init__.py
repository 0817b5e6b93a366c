"""People's own meter readings, from the bytes of a file to one day in slots of equal length.

A pipeline of small steps, each in a file of its own and pure once the bytes are read:

    encoding            bytes -> text
    dialect             text -> which character separates cells
    header              the first rows -> where the header and the readings begin
    meter_table         text or Parquet -> one table of named columns
    nem12, green_button formats that are not one table -> the same kind of table
    column_roles        what each column holds, by its name and its cells
    known_formats       what published formats say about columns and units
    layout              a column, a row, or a day for each household -> one row per reading
    units, number_format, time_format, local_time    cells -> kWh or kW, and instants
    readings            readings of each household over time
    reading_checks      counters, sums of others, error codes, negative readings
    complete_days       which days are complete, and readings -> energy per slot
    household_names     names -> ids
    day_profile         all of it in order: `read_meters`

A step either understands its input or raises an InputError that names file, line, column, what was
seen, and the option that helps. What it had to assume is returned as a note.
"""
