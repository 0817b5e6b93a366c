#!/usr/bin/env bash
# engine.sh DIR: a Docker Engine for tests, until it is killed. Its socket is DIR/docker.sock. As root, on a
# machine with dockerd and util-linux. An engine that runs already is left alone: this one has its own network,
# mounts and processes (namespaces), so that bridges, firewall rules and containers end with it, however it
# ends. Containers reach each other and nobody else.
set -euo pipefail

dir=$(mkdir -p "$1" && cd "$1" && pwd)
# The shell stays, to collect what ends: it is the first process of its namespace.
inside='
    ip link set lo up
    dockerd --data-root "$1/data" --exec-root "$1/run" --pidfile "$1/pid" --host "unix://$1/docker.sock" &
    wait
'
# When whoever started this is gone, so is the engine, with everything in it.
exec setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc \
    bash -c "$inside" engine "$dir"
