#!/usr/bin/env bash
# Installs what Debian 12 lacks to build pal beside a Swift toolchain; with --tests, also what the
# tests run on. Does nothing where all of it is there. Removes nothing.
set -euo pipefail
export PATH="$PATH:/usr/sbin:/sbin"

packages=(ca-certificates git libcurl4-openssl-dev libsqlite3-dev)
if [ "${1:-}" = --tests ]; then
    packages+=(busybox-static docker-registry podman crun netavark aardvark-dns catatonit iproute2)
    [ "${CI:-}" != true ] || packages+=(debootstrap)
    # Whoever has an Engine keeps it: Debian's would take the place of Docker's own packages.
    if ! command -v dockerd >/dev/null && ! [ -S /var/run/docker.sock ]; then
        packages+=(docker.io iptables)
    fi
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "setup: have root do this first: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
echo "setup: installing ${missing[*]}" >&2
quiet=(env DEBIAN_FRONTEND=noninteractive)
"${as_root[@]}" "${quiet[@]}" apt-get update -q >&2
"${as_root[@]}" "${quiet[@]}" apt-get install -q -y --no-remove --no-install-recommends \
    "${missing[@]}" >&2
