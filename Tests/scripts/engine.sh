# Sourced by test.sh: a Docker Engine that the tests may use.
#
# `provide_engine` returns 0 where one answers, and then `run` is what the tests are run by.
# Otherwise `no_engine` says why. `stop_engine` stops the one that was started here, if any.

socket=/var/run/docker.sock
run=(env)
no_engine=""
engine_pid=""
engine_log=$(mktemp)

# A password is asked for only where there is somebody to answer.
as_root=()
if [ "$(id -u)" != 0 ]; then
    as_root=(sudo)
    if [ "${CI:-}" = true ] || ! [ -t 0 ]; then as_root=(sudo -n); fi
fi

# Whether an Engine answers to who is named: nobody for this user, or a prefix such as sudo.
engine_answers() {
    timeout 10 env "$@" perl -MIO::Socket::UNIX -e '
        my $engine = IO::Socket::UNIX->new(Peer => shift) or exit 1;
        print $engine "GET /_ping HTTP/1.0\r\n\r\n";
        exit((<$engine> // "") !~ m{^HTTP/1\.\d 200 });' "$socket" 2>/dev/null
}

# Starts dockerd with more options and waits, at most a minute, until it answers.
start_engine() {
    echo "test: starting dockerd $*" >&2
    local pid_file
    pid_file=$(mktemp -u)
    "${as_root[@]}" dockerd --pidfile "$pid_file" --group "$(id -gn)" "$@" \
        >"$engine_log" 2>&1 </dev/null &
    local job=$!
    for _ in $(seq 120); do
        if engine_answers; then
            engine_pid=$(cat "$pid_file")
            return 0
        fi
        kill -0 "$job" 2>/dev/null || break
        sleep 0.5
    done
    kill "$job" 2>/dev/null || true
    wait "$job" 2>/dev/null || true
    return 1
}

stop_engine() {
    if [ -n "$engine_pid" ]; then
        "${as_root[@]}" kill "$engine_pid" 2>/dev/null || true
        for _ in $(seq 150); do
            [ -d "/proc/$engine_pid" ] || break
            sleep 0.1
        done
    fi
    engine_pid=""
    rm -f "$engine_log"
}

provide_engine() {
    # One that was just installed may be on its way up.
    for _ in $(seq 10); do
        if engine_answers; then return 0; fi
        grep -qsx dockerd /proc/[0-9]*/comm || break
        if [ -S "$socket" ] && ! [ -w "$socket" ]; then break; fi
        sleep 1
    done
    if ! "${as_root[@]}" true 2>/dev/null; then
        no_engine="none answers to this user at $socket, and starting one takes root"
        return 1
    fi
    if [ ${#as_root[@]} -gt 0 ] && engine_answers "${as_root[@]}"; then
        # For this run only: the group that owns the socket.
        local groups
        groups=$(id -G | tr ' ' ,),$("${as_root[@]}" stat -c %g "$socket")
        run=("${as_root[@]}" --preserve-env setpriv --reuid "$(id -u)" --regid "$(id -g)"
            --groups "$groups" env "PATH=$PATH" "HOME=$HOME")
        return 0
    fi
    if ! command -v dockerd >/dev/null; then
        no_engine="dockerd is not installed"
        return 1
    fi
    # The second try is for containers, where the kernel's packet filter may be out of reach.
    if start_engine || start_engine --iptables=false --ip6tables=false; then return 0; fi
    no_engine="dockerd does not start"
    echo "test: the last words of dockerd:" >&2
    tail -n 40 "$engine_log" >&2
    return 1
}
