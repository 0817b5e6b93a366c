"""Keys of the parts of a bus: certificates and nkeys, made, added, rotated, revoked and inspected.

`keyring.py` decides what is in the folder of all keys; `certificates.py` and `server_config.py`
make its contents, `key_files.py` writes them, `key_inspection.py` checks them.
"""
