"""From the bytes of a meter file to one table of named columns.

Decides encoding, separator and where the header is; knows no household yet. file_kinds tells the
kinds of file apart; nem12 and green_button turn formats that are not one table into the same kind
of table.
"""
