# Sourced by test.sh: Podman's service, which answers as a Docker Engine does.
#
# `provide_podman` starts one for this run, and the tests find it by PAL_TEST_PODMAN, the path of its
# socket. It returns 1 where there is none, and `no_podman` says why. `stop_podman` stops it and
# removes all that it kept.

no_podman=""
podman_pid=""
podman_root=""
podman_command=()

provide_podman() {
    if ! command -v podman >/dev/null; then
        no_podman="podman is not installed"
        return 1
    fi
    if ! "${as_root[@]}" true 2>/dev/null; then
        no_podman="starting one takes root"
        return 1
    fi
    podman_root=$(mktemp -d)
    # Limits as they are: raising them is not always allowed. crun wants version 2 of cgroups alone.
    {
        printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=%s:%s"]\n' \
            "$(ulimit -Hn)" "$(ulimit -Hn)" 4096 4096
        printf '[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n'
        [ -f /sys/fs/cgroup/cgroup.controllers ] || printf 'runtime = "runc"\n'
        printf '[network]\nnetwork_config_dir = "%s/networks"\n' "$podman_root"
    } >"$podman_root/containers.conf"
    # The registries of tests speak no TLS.
    printf '[[registry]]\nprefix = "127.0.0.1"\nlocation = "127.0.0.1"\ninsecure = true\n' \
        >"$podman_root/registries.conf"
    export PAL_TEST_PODMAN=$podman_root/podman.sock
    echo "test: starting Podman's service" >&2
    # What a service that is killed leaves lying goes with the rest.
    mkdir "$podman_root/tmp"
    podman_command=("${as_root[@]}" env "TMPDIR=$podman_root/tmp"
        "CONTAINERS_CONF=$podman_root/containers.conf"
        "CONTAINERS_REGISTRIES_CONF=$podman_root/registries.conf" podman
        --root "$podman_root/storage" --runroot "$podman_root/run")
    "${podman_command[@]}" system service --time=0 "unix://$PAL_TEST_PODMAN" \
        >"$podman_root/log" 2>&1 </dev/null &
    podman_pid=$!
    for _ in $(seq 120); do
        if socket=$PAL_TEST_PODMAN engine_answers "${as_root[@]}"; then
            [ ${#as_root[@]} -eq 0 ] || "${as_root[@]}" chown "$(id -u)" "$PAL_TEST_PODMAN"
            return 0
        fi
        kill -0 "$podman_pid" 2>/dev/null || break
        sleep 0.5
    done
    no_podman="its service does not start"
    tail -n 20 "$podman_root/log" >&2
    unset PAL_TEST_PODMAN
    return 1
}

stop_podman() {
    [ -n "$podman_root" ] || return 0
    "${podman_command[@]}" rm --all --force --time 0 >/dev/null 2>&1 || true
    if [ -n "$podman_pid" ]; then
        "${as_root[@]}" kill "$podman_pid" 2>/dev/null || true
        wait "$podman_pid" 2>/dev/null || true
    fi
    "${as_root[@]}" umount "$podman_root/storage/overlay" 2>/dev/null || true
    "${as_root[@]}" rm -rf "$podman_root"
    podman_root=""
    podman_pid=""
}
