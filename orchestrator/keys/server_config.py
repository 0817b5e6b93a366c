"""The configuration of a nats-server for a bus with keys, as text. Who may do what is decided in
protocol/permissions.py."""

import json
from collections.abc import Mapping

from orchestrator.embedded import MAX_PAYLOAD
from protocol.identity import CA, CERTIFICATE, KEY
from protocol.permissions import permissions

SERVER = "server"
"""Folder of the server's certificate and key."""
USERS_FILE = "users.conf"

SERVER_CONFIG = f"""\
# Paths are relative to the folder in which nats-server starts: start it in this one.
listen: 0.0.0.0:4222
max_payload: {MAX_PAYLOAD}
tls {{
  cert_file: {SERVER}/{CERTIFICATE}
  key_file: {SERVER}/{KEY}
  ca_file: {CA}
  verify: true
  min_version: "1.3"
  # Not one word in the clear: coflex connects to no server that begins otherwise.
  handshake_first: true
}}
include {USERS_FILE}
"""


def users_config(users: Mapping[str, str]) -> str:
    """The users: public nkey of each part by its name."""
    lines = [f"  # {name}\n  {_user(name, key)}" for name, key in sorted(users.items())]
    return "\n".join(
        (
            "# Written by `coflex keys`, which writes it anew with every change.",
            "authorization: { users: [",
            *lines,
            "] }\n",
        )
    )


def _user(name: str, key: str) -> str:
    allowed = permissions(name)
    rules: dict[str, object] = {
        "publish": list(allowed.publish),
        "subscribe": list(allowed.subscribe),
    }
    if allowed.answer:
        rules["allow_responses"] = True
    return json.dumps({"nkey": key, "permissions": rules})
