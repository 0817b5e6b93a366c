#!/bin/sh
# The keys of a compose project, made once. The authority's folder holds everything, and only this
# container sees it; the server and the parts are given copies of what they need.
#
#   make-keys                       make them, if there are none, and stay: a container that ends
#                                   would end `docker compose up --exit-code-from`
#   make-keys --rotate host-2       change them, as `coflex keys` with this option
set -eu
authority=/authority/keys
if [ ! -e "$authority/parts.json" ]; then
    coflex keys "$authority" --count "${COFLEX_MOST_HOSTS:-32}" --server nats
fi
if [ $# -gt 0 ]; then
    coflex keys "$authority" "$@"
fi
umask 077
cp -R "$authority/server" "$authority/ca.pem" "$authority/users.conf" "$authority/nats.conf" /server/
# For the health check, inside the container alone.
printf 'http: "127.0.0.1:8222"\n' >> /server/nats.conf
for part in "$authority"/*/; do
    name=$(basename "$part")
    case $name in
        ca | server) ;;
        host-*) cp -R "$part" /hosts/ ;;
        *) cp -R "$part" /services/ ;;
    esac
done
# Who was revoked leaves nothing behind.
for given in /hosts/* /services/*; do
    [ ! -d "$given" ] || [ -d "$authority/$(basename "$given")" ] || rm -rf "$given"
done
if [ $# -eq 0 ]; then
    touch /tmp/made
    exec sleep infinity
fi
