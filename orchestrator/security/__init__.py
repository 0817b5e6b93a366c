"""Keys of the parts of a bus: certificates and nkeys, made, added, rotated and revoked."""
