"""The figures of a run, and the engine for charts.

A figure starts as a table (the *_data modules, pure), which is also its CSV file. `style` has the
look of pictures. `chart` draws panels of series, as a picture and as an interactive figure.
`explorable` draws the interactive figures of a run, and `interactive` has what pages with such
figures need.
"""
