#!/bin/sh
# Print .env for docker compose, with the public base images by digest: what was tested is what is built and run.
# Lines of an existing .env that set something else are kept.
set -eu
cd "$(dirname "$0")/.."
if [ -e .env ]; then
    sed '/^COFLEX_BASE=/d; /^NATS_IMAGE=/d' .env
fi
digest() {
    docker pull --quiet "$1" >/dev/null
    docker image inspect --format '{{index .RepoDigests 0}}' "$1"
}
python=$(digest python:3.11-slim)
nats=$(digest nats:2-alpine)
printf 'COFLEX_BASE=%s\nNATS_IMAGE=%s\n' "$python" "$nats"
