#!/usr/bin/env bash
# Runs every test: installs what is missing, starts a Docker Engine where none answers, and Podman's
# service, builds, and ends with a line that counts them. What it starts, it stops.
#
# Without an Engine, or Podman, the tests that need one are skipped, and it says so; with CI=true that is a
# failure, and warnings of the compiler are errors; and the docker provider's tests are run on newer
# releases of both, too, where the Engine is this script's own.
set -euo pipefail
cd "$(dirname "$0")/../.."
export PATH="$PATH:/usr/sbin:/sbin"

if ! bash Tests/scripts/setup.sh --tests; then
    [ "${CI:-}" != true ] || exit 1
    # Without these nothing can be built.
    bash Tests/scripts/setup.sh
fi

source Tests/scripts/engine.sh
source Tests/scripts/podman.sh
trap 'stop_podman; stop_engine' EXIT
if ! provide_engine; then
    if [ "${CI:-}" = true ]; then
        echo "test: no Docker Engine: $no_engine; in CI that is a failure" >&2
        exit 1
    fi
    echo "test: no Docker Engine: $no_engine; the tests below that say so are skipped" >&2
fi
if ! provide_podman; then
    if [ "${CI:-}" = true ]; then
        echo "test: no Podman: $no_podman; in CI that is a failure" >&2
        exit 1
    fi
    echo "test: no Podman: $no_podman; the tests below that say so are skipped" >&2
fi

# A thousand tests at once starve each other, and one Engine has to serve most of them.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=${SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH:-6}

# What the scenes run is what people run: there is code that is right in a debug build alone.
swift build -c release --product pal
export PAL_TEST_PROGRAM=$PWD/.build/release/pal
swift build --build-tests

# What puts all its load on the machine comes last, one after the other: others would wait in vain.
heavy=(CrowdTests EngineKillTests)
log=$(mktemp)
trap 'stop_podman; stop_engine; rm -f "$log"' EXIT
"${run[@]}" swift test --skip-build --disable-xctest --skip "$(IFS='|' && echo "${heavy[*]}")" | tee "$log"
for suite in "${heavy[@]}"; do
    "${run[@]}" swift test --skip-build --disable-xctest --filter "$suite" | tee -a "$log"
done
# What is tested on Docker's Engine once more, with Podman's service in its place. Of many that start
# at once Podman 4.3 forgets a port or a mount now and then.
if [ -n "${PAL_TEST_PODMAN:-}" ]; then
    scenes='^EndToEndTests\.(Docker(Image|Repair|Fault)|Open|Exec|Import|Logs|Copy|CutOff)Tests'
    for tests in "^DockerProviderTests|$scenes" CrowdTests EngineKillTests; do
        "${run[@]}" env PAL_TEST_ENGINE=podman SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=2 \
            swift test --skip-build --disable-xctest --filter "$tests" | tee -a "$log"
    done
fi
# Newer releases of both take this machine's places for a while.
if [ "${CI:-}" = true ]; then
    if [ "$(id -u)" = 0 ] && [ -n "$engine_pid" ]; then
        stop_podman
        stop_engine
        bash Tests/scripts/newer.sh | tee -a "$log"
    else
        echo "test: not run on newer releases: that takes root, and no Engine but this script's" >&2
    fi
fi
perl -ne '$tests += $1, $suites += $2, $time += $3
    if /Test run with (\d+) tests? in (\d+) suites? passed after ([\d.]+) seconds/;
    END { print "Test run with $tests tests in $suites suites passed after $time seconds.\n" }' "$log"
