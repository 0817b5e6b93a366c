"""People's own meter readings, from the bytes of a file to one day in slots of equal length.

A pipeline of small steps, each in a file of its own and pure once the bytes are read:

    file_kinds            which kind of file it is, by its first bytes
    encoding              bytes -> text
    dialect               text -> which character separates cells
    header                the first rows -> where the header and the readings begin
    source_table          text or Parquet -> one table of named columns
    nem12, green_button   formats that are not one table -> the same kind of table
    known_formats         what published formats say about columns and units
    layout                a row for each day or series -> a row for each reading
    column_kinds, column_words, column_roles, time_columns, value_columns
                          what each column holds, by options, names and cells
    cells, number_format, units        cells -> kWh or kW
    time_format, local_time            cells -> instants
    household_readings, readings       readings of each household over time
    reading_checks        counters, sums of others, error codes, negative readings
    complete_days         which days are complete, and readings -> energy per slot
    household_names       names -> ids
    meter_file            the steps up to readings, in order: `read_meter_file`
    day_profile           all of it: `read_meters`

A step either understands its input or raises an InputError that names file, line, column, what was
seen, and the option that helps. What it had to assume is returned as a note.
"""
