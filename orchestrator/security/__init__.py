"""Keys of the parts of a bus: certificates and nkeys, from making to revoking and inspecting them.

`keyring.py` decides what is in the folder of all keys. `certificates.py` and `server_config.py`
make its contents, `key_files.py` writes them, and `key_inspection.py` checks them.
"""
