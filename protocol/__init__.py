"""What is said, and how it travels.

terms.py     what all households of a run agree on
codec.py     bytes to messages and back
subjects.py  the subjects of the bus
vectors.py   load curves as bytes
errors.py    whose fault an error is

messages/ holds every message, runtime/ what drives machines, transport/ the bus and who may say
what on it. docs/protocol.md describes the same for other implementations. Only runtime/shell.py and
transport/ do I/O.
"""
