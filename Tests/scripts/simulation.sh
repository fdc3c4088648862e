#!/usr/bin/env bash
# Runs the simulation: 2,000 seeds, and 500 of two controllers that know nothing of each other, each
# in two processes, whose hashing differs, with the traces compared; and then the engines that are
# broken on purpose. Part of CI; a quarter of an hour on two cores, half of it building.
#
#   bash Tests/scripts/simulation.sh
#   bash Tests/scripts/simulation.sh --seed 2001 --count 5000    other seeds, and no broken engines
set -euo pipefail
cd "$(dirname "$0")/../.."
bash Tests/scripts/setup.sh
swift build -c release --product pal-sim
if [ $# -gt 0 ]; then exec .build/release/pal-sim --twice "$@"; fi

# Runs seeds in two processes; the last line has the digest of all traces.
twice() {
    local first second
    first=$(.build/release/pal-sim "$@" | tee /dev/stderr | tail -n 1)
    second=$(.build/release/pal-sim "$@" | tail -n 1)
    [ "$first" = "$second" ] && return
    echo "simulation: the same seeds went another way in another process: $second" >&2
    echo "simulation: 'pal-sim $* --twice' says which, where it is one process's" >&2
    exit 1
}
twice --seed 1 --count 2000
twice --rivals --seed 1 --count 500
bash Tests/scripts/mutants.sh
