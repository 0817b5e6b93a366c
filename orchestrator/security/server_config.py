"""Configurations of nats-servers for a bus with keys: single servers, clusters, leaf nodes.

`protocol/transport/permissions.py` decides what each user may do.
"""

import json
from collections.abc import Mapping, Sequence
from ipaddress import IPv6Address, ip_address
from textwrap import indent
from types import MappingProxyType
from typing import NamedTuple

from protocol.transport.identity import CA, CERTIFICATE, KEY
from protocol.transport.nats_bus import MAX_PAYLOAD
from protocol.transport.permissions import Permissions, leaf_permissions, permissions

SERVER = "server"
"""Folder with the certificate and key of the servers."""
USERS_FILE = "users.conf"
CLUSTER_FILE = "cluster.conf"
LEAF_SEED = "nkey.conf"
"""File in the folder of a leaf node with the seed of its nkey, as the server reads it."""
CLUSTER_PORT, LEAF_PORT = 6222, 7422

_TLS = """\
tls {{
  cert_file: {folder}/{certificate}
  key_file: {folder}/{key}
  ca_file: {ca}
  verify: true
  min_version: "1.3"
"""
_SERVED = """\
# Paths are relative to the folder in which nats-server starts, so start it in this one.
listen: 0.0.0.0:4222
max_payload: {payload}
{tls}  # Nothing is sent unencrypted; coflex refuses servers that do not start with TLS.
  handshake_first: true
}}
include {users}
"""
_FIRST = "handshake_first: true\n"


def server_config(*, clustered: bool) -> str:
    """Return the configuration of a server, which includes CLUSTER_FILE if `clustered`."""
    served = _SERVED.format(payload=MAX_PAYLOAD, tls=_tls(SERVER, CA), users=USERS_FILE)
    return f"{served}include {CLUSTER_FILE}\n" if clustered else served


def cluster_config(servers: Sequence[str], secret: str) -> str:
    """Return the contents of CLUSTER_FILE: a listener for leaf nodes and, for several `servers`,
    routes to the other members of the cluster, which know the same `secret`."""
    tls = indent(_tls(SERVER, CA), "  ")
    listener = f"leafnodes {{\n  listen: 0.0.0.0:{LEAF_PORT}\n{tls}    {_FIRST}  }}\n}}\n"
    if len(servers) == 1:
        return listener
    routes = (f"nats-route://route:{secret}@{_in_url(name)}:{CLUSTER_PORT}" for name in servers)
    return (
        f"cluster {{\n  name: coflex\n  listen: 0.0.0.0:{CLUSTER_PORT}\n{tls}  }}\n"
        "  # Parts have certificates of the same CA, so a server must also know this password.\n"
        f"  authorization {{ user: route, password: {secret} }}\n  routes: [\n"
        + "".join(f'    "{route}"\n' for route in routes)
        + f"  ]\n}}\n{listener}"
    )


def leaf_config(leaf: str, servers: Sequence[str]) -> str:
    """Return the configuration of a leaf node: a server for its own hosts, which forwards messages
    for other parts to one of `servers`."""
    ca = f"{leaf}/{CA}"
    served = _SERVED.format(payload=MAX_PAYLOAD, tls=_tls(leaf, ca), users=leaf_users_file(leaf))
    remotes = "".join(f'      "tls://{_in_url(name)}:{LEAF_PORT}"\n' for name in servers)
    tls = indent(_tls(leaf, ca).replace("  verify: true\n", ""), "    ")
    return (
        f"{served}leafnodes {{\n  remotes: [ {{\n    urls: [\n{remotes}    ]\n"
        f"    include {leaf}/{LEAF_SEED}\n{tls}      {_FIRST}    }}\n  }} ]\n}}\n"
    )


def leaf_config_file(leaf: str) -> str:
    """Return the name of the configuration file of a leaf node."""
    return f"{leaf}.conf"


def leaf_users_file(leaf: str) -> str:
    """Return the name of the file with the users of a leaf node."""
    return f"users-{leaf}.conf"


class Leaf(NamedTuple):
    """A leaf node: its public nkey and the hosts behind it."""

    key: str
    hosts: Sequence[str]


def users_config(
    users: Mapping[str, str], leaves: Mapping[str, Leaf] = MappingProxyType({})
) -> str:
    """Return the contents of a users file: the permissions of each part and each leaf node."""
    lines = [
        f"  # {name}\n  {_user(key, permissions(name), 'STANDARD')}"
        for name, key in sorted(users.items())
    ]
    lines += [
        f"  # {name}, for {', '.join(hosts)}\n  {_user(key, leaf_permissions(hosts), 'LEAFNODE')}"
        for name, (key, hosts) in sorted(leaves.items())
    ]
    return "\n".join(
        (
            "# Written by `coflex keys`, which rewrites this file with every change.",
            "authorization: { users: [",
            *lines,
            "] }\n",
        )
    )


def _user(key: str, allowed: Permissions, connection: str) -> str:
    rules: dict[str, object] = {
        "publish": list(allowed.publish),
        "subscribe": list(allowed.subscribe),
    }
    if allowed.answer:
        rules["allow_responses"] = True
    user = {"nkey": key, "permissions": rules, "allowed_connection_types": [connection]}
    return json.dumps(user)


def _tls(folder: str, ca: str) -> str:
    return _TLS.format(folder=folder, certificate=CERTIFICATE, key=KEY, ca=ca)


def _in_url(name: str) -> str:
    try:
        return f"[{name}]" if isinstance(ip_address(name), IPv6Address) else name
    except ValueError:
        return name
