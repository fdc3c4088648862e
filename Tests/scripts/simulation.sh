#!/usr/bin/env bash
# Runs the simulation: 2,000 seeds in two processes, whose hashing differs, with the traces compared,
# 500 seeds of two controllers that know nothing of each other, and then the engines that are broken
# on purpose. Part of CI; a quarter of an hour on two cores, half of it building.
#
#   bash Tests/scripts/simulation.sh
#   bash Tests/scripts/simulation.sh --seed 2001 --count 5000    other seeds, and no broken engines
set -euo pipefail
cd "$(dirname "$0")/../.."
bash Tests/scripts/setup.sh
swift build -c release --product pal-sim
if [ $# -gt 0 ]; then exec .build/release/pal-sim --twice "$@"; fi
seeds=(.build/release/pal-sim --seed 1 --count 2000)
first=$("${seeds[@]}" | tee /dev/stderr | tail -n 1)
second=$("${seeds[@]}" | tail -n 1)
if [ "$first" != "$second" ]; then
    echo "simulation: the same seeds went another way in another process: $second" >&2
    echo "simulation: 'pal-sim --seed N --count M --twice' says which, where it is one process's" >&2
    exit 1
fi
.build/release/pal-sim --rivals --seed 1 --count 500
bash Tests/scripts/mutants.sh
