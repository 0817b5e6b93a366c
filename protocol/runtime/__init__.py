"""The runtime of machines: frames in and out, timers, and the asyncio around them.

machine.py        the interface of a machine: messages and the time in, messages out
node.py           one endpoint on the bus with any number of machines; pure
host_endpoint.py  the machine that answers for a host itself; pure
shell.py          a node on a real bus: all the asyncio of a run
event_loop.py     the loop that shells run on: its clock stands still while the process does
"""
