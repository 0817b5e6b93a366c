"""The messages of coflex, and how they travel.


terms.py     what all households of a run agree on
codec.py     bytes to messages and back
subjects.py  the subjects of the bus
vectors.py   vectors of numbers as bytes
errors.py    kinds of errors, by who can mend them

messages/ holds every message, runtime/ what drives machines, transport/ the bus and the permissions
on it. docs/protocol.md describes the same for other implementations. Only runtime/shell.py and
transport/ do I/O.
"""
