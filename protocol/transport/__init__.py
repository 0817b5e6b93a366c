"""The transport: how frames travel, and which parts may send them where.


bus.py           the interface of a bus
nats_bus.py      the bus over NATS
nats_service.py  a process as a NATS micro service
identity.py      the keys and certificates of an endpoint
permissions.py   the subjects that each part may publish and subscribe; pure

Only nats_bus.py and nats_service.py import nats.
"""
