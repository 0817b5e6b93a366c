"""People's own meter readings, from the bytes of a file to one day in slots of equal length.

A pipeline of small steps, pure once the bytes are read, in four folders and two files:

    table/       bytes -> text -> one table of named columns, whatever the format
    notation/    how numbers, times and units are written
    columns/     what each column holds, by options, known formats, names and cells
    readings/    readings of each household over time, their checks, and the complete days
    meter_file   the steps up to readings, in order: `read_meter_file`
    day_profile  all of it: `read_meters`

A step either understands its input or raises an InputError that names file, line, column, what was
seen, and the option that helps. What it had to assume is returned as a note.
"""
