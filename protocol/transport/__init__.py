"""How frames travel: the bus, NATS, identities and permissions."""
