#!/usr/bin/env bash
# Runs the docker provider's tests once more on newer releases: on the Engine of Debian 13 with its
# images in containerd, as new installations of Docker keep them, and on that Debian's Podman. What
# is tested must be built.
#
# For a machine that does nothing else: it needs root, debootstrap and Debian's archive. Their
# programs come from a Debian in a directory of its own, which is deleted in the end, and take the
# places of this machine's by mounts that only this script's processes see.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/sbin"
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-6}

refuse() {
    echo "newer: $*" >&2
    exit 1
}

if [ "${1:-}" != inside ]; then
    [ "$(id -u)" = 0 ] || refuse "this takes root"
    command -v debootstrap >/dev/null || refuse "install debootstrap"
    exec unshare --mount --propagation private bash Tests/scripts/newer.sh inside
fi

source Tests/scripts/engine.sh
source Tests/scripts/podman.sh
if engine_answers || [ -S /run/containerd/containerd.sock ]; then
    refuse "Docker or containerd runs here; stop it first"
fi
root=$(mktemp -d -p /var/tmp)
forward=$(iptables -S FORWARD | sed -n 's/^-P FORWARD //p')
made=()
finish() {
    set +e
    stop_podman
    stop_engine
    iptables -P FORWARD "$forward"
    # What stood in for them must go before they can.
    umount /etc/docker/daemon.json 2>/dev/null
    [ ${#made[@]} -eq 0 ] || rm -f "${made[@]}"
    rm -rf --one-file-system "$root"
}
trap finish EXIT

echo "newer: getting Debian 13 with its Docker and Podman" >&2
packages=docker.io,containerd,iptables,nftables,podman,crun,netavark,aardvark-dns,catatonit
if ! debootstrap --variant=minbase "--include=$packages" trixie "$root" >"$engine_log" 2>&1; then
    tail -n 20 "$engine_log" >&2
    refuse "debootstrap failed"
fi

# Docker: its programs run here as they are.
mkdir -p "$root/pal/docker" /var/lib/docker /etc/docker
mount --bind "$root/pal/docker" /var/lib/docker
for program in sbin/dockerd sbin/docker-proxy bin/containerd bin/containerd-shim-runc-v2; do
    mount --bind "$root/usr/$program" "/usr/$program"
done
if ! [ -e /etc/docker/daemon.json ]; then
    touch /etc/docker/daemon.json
    made+=(/etc/docker/daemon.json)
fi
echo '{"features": {"containerd-snapshotter": true}}' >"$root/pal/daemon.json"
mount --bind "$root/pal/daemon.json" /etc/docker/daemon.json
provide_engine || refuse "no Engine: $no_engine"
echo "newer: $(dockerd --version)" >&2
# In that release an import over a tag takes away the image that bore it, which three tests need.
swift test --skip-build --disable-xctest --filter '^DockerProviderTests' \
    --skip 'MovedTagTests/(moved|followed|cutOff)\('

# Podman: its libraries are that Debian's, so it sees that, with this machine's files in it.
cat >"$root/pal/podman" <<END
#!/bin/bash
exec unshare --mount --propagation private bash -ec '
    mount --bind "\$0" "\$0"
    for place in proc sys dev run tmp; do mount --rbind "/\$place" "\$0/\$place"; done
    cp /etc/resolv.conf /etc/hosts "\$0/etc/"
    cd "\$0"
    mkdir -p old
    pivot_root . old
    umount -l /old
    exec /usr/bin/podman "\$@"' '$root' "\$@"
END
chmod +x "$root/pal/podman"
mount --bind "$root/pal/podman" /usr/bin/podman
# It makes rules for nftables only, which Docker's policy in the older tables overrules.
iptables -P FORWARD ACCEPT
provide_podman || refuse "no Podman: $no_podman"
echo "newer: $(podman --version)" >&2
PAL_TEST_ENGINE=podman SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=2 \
    swift test --skip-build --disable-xctest --filter '^DockerProviderTests'
