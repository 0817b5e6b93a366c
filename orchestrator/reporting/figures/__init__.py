"""The figures of a run, and the engine for charts.

A figure is first a table (the *_data modules, pure), which is also the CSV beside it, and then a
picture. `style` has the look, `chart` draws any panels of series both as a picture and to be
explored in a page, `explorable` draws the figures of a run for its page, and `interactive` has what
such pages need.
"""
