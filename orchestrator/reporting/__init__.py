"""The results of one run for people: in a terminal, as a page, and as one household's explanation.

`wording` has the texts for both terminal and page, `highlights` decides what comes first on the
page, and `glossary` explains its words. `figures` draws, and templates (*.html.j2) define the
layout. `page.html.j2` is the layout of every page, also of comparisons and the replication.
"""
