#!/usr/bin/env bash
# fuzz.sh TARGET [COUNT] [OPTIONS]: gives COUNT inputs (a million) to a parser of foreign bytes.
#
# TARGET is yaml, json, frames, heads or times; OPTIONS are libFuzzer's. What is interesting is kept
# in .build-fuzz/corpus/TARGET, and the next run begins with it. An input that crashes, takes longer
# than 10 seconds or 512 MiB, or breaks a promise ends the run with a failure, is named, and is kept
# in .build-fuzz/found; 'fuzz.sh TARGET 1 FILE' runs it again.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${1:?TARGET is yaml, json, frames, heads or times}
count=${2:-1000000}
shift $(($# < 2 ? $# : 2))

# The parsers are built with the counters that libFuzzer is guided by, C too; main is our own.
fuzzer="$(clang -print-resource-dir)/lib/linux/libclang_rt.fuzzer_no_main-$(uname -m).a"
export PAL_FUZZ=1
swift build -c release --product pal-fuzz --scratch-path .build-fuzz \
    -Xswiftc -enable-testing -Xswiftc -Xfrontend -Xswiftc -sanitize=fuzzer \
    -Xcc -fsanitize=fuzzer-no-link \
    -Xlinker "$fuzzer" -Xlinker -lstdc++ -Xlinker -lm

corpus=.build-fuzz/corpus/$target
mkdir -p "$corpus" .build-fuzz/found
case $target in
    yaml) cp docs/examples/*.yaml specs/*.yaml "$corpus" ;;
    json) cp docs/examples/*.json "$corpus" ;;
esac

# Swift's own report of a crash would come before libFuzzer keeps the input.
export SWIFT_BACKTRACE=enable=no
exec .build-fuzz/release/pal-fuzz "$target" -runs="$count" -timeout=10 -rss_limit_mb=512 \
    -dict="Tests/pal-fuzz/words/$target.dict" -artifact_prefix=.build-fuzz/found/ \
    -print_final_stats=1 "$@" "$corpus"
