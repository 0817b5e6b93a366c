"""The results of one run for people: in a terminal, as a page, and as one household's explanation.

`wording` decides what is said, once, for terminal and page alike, `highlights` what comes first on
the page, and `glossary` what its words mean; `figures` draws; templates (*.html.j2) lay out.
`page.html.j2` is the look of every page, also of comparisons and of the replication, which lie
above this package.
"""
