#!/usr/bin/env bash
# Proves that the simulation's checkers can fail: runs pal-sim on engines that are broken on purpose.
#
# The catalogue in Tests/mutants is applied as a whole to a copy of the sources in .build/mutants,
# each entry behind a switch, so that one build serves all. The table says which checker caught each
# mutant at which seed. It fails where one is not caught within its seeds, where the catalogue does
# not fit the sources any more, and where the engine as it is fails in the seeds that caught one.
#
#   bash Tests/scripts/mutants.sh           all of them
#   bash Tests/scripts/mutants.sh NAME…     only these, and not the engine as it is
set -euo pipefail
cd "$(dirname "$0")/../.."
catalogue=$PWD/Tests/mutants/catalogue.txt
copy=$PWD/.build/mutants

names=()
declare -A what checker seeds options crashes
declare -A touched

fail() {
    echo "mutants: $*" >&2
    exit 1
}

# Puts the new text in the place of the old one, which must be there exactly once.
replace() {
    local name=$1 file=$2 old=$3 new=$4 text rest
    [ -f "$copy/$file" ] || fail "$name: there is no $file"
    text=$(cat "$copy/$file" && printf x)
    text=${text%x}
    rest=${text#*"$old"}
    [ "$rest" != "$text" ] || fail "$name: its old text is not in $file; bring $catalogue up to date"
    [ "${rest#*"$old"}" = "$rest" ] || fail "$name: its old text is in $file more than once"
    printf '%s' "${text%%"$old"*}$new$rest" >"$copy/$file"
    touched[$(cut -d/ -f1,2 <<<"$file")]=1
}

# Reads the catalogue, and makes each change as it comes.
apply() {
    local line state=head name='' file='' old='' new=''
    while IFS= read -r line; do
        case $state:$line in
            head:mutant:*)
                name=${line#mutant: }
                names+=("$name")
                ;;
            head:what:*) what[$name]=${line#what: } ;;
            head:checker:*) checker[$name]=${line#checker: } ;;
            head:seeds:*) seeds[$name]=${line#seeds: } ;;
            head:options:*) options[$name]=${line#options: } ;;
            head:crashes:*) crashes[$name]=${line#crashes: } ;;
            head:file:*) file=${line#file: } ;;
            head:'--- old')
                state=old
                old=''
                ;;
            old:'--- new')
                state=new
                new=''
                ;;
            new:'--- end')
                state=head
                replace "$name" "$file" "$old" "$new"
                ;;
            old:*) old+=$line$'\n' ;;
            new:*) new+=$line$'\n' ;;
            head:'' | head:'#'*) ;;
            *) fail "cannot read this line of $catalogue: $line" ;;
        esac
    done <"$catalogue"
    [ $state = head ] || fail "the last entry of $catalogue has no end"
}

# What the new texts ask which mutant runs.
add_switch() {
    cat >"$copy/$1/Mutant.swift" <<'SWIFT'
internal import Glibc

/// Which of the broken engines runs.
enum Mutant {
    private static let name = getenv("PAL_MUTANT").map { String(cString: $0) }

    static func `is`(_ other: String) -> Bool { name == other }
}
SWIFT
}

mkdir -p "$copy"
rm -rf "$copy/Sources" "$copy/Tests"
cp -a Package.swift Package.resolved Sources Tests "$copy/"
apply
for target in "${!touched[@]}"; do add_switch "$target"; done

# A mutant may leave something unused, which is no error here.
(cd "$copy" && env -u CI swift build -c release --product pal-sim) >"$copy/build.log" 2>&1 \
    || { cat "$copy/build.log" >&2; fail "the copy in $copy does not build"; }
sim=$copy/.build/release/pal-sim

all=("${names[@]}")
[ $# -eq 0 ] || names=("$@")
format='%-26s %-6s %-6s %-48s %s\n'
printf "$format" mutant seed bound 'caught by' 'what is broken'
missed=0
most=0
for name in "${names[@]}"; do
    [ -n "${what[$name]:-}" ] || fail "there is no mutant $name; there are: ${all[*]}"
    more=${options[$name]:-}
    # shellcheck disable=SC2086 # several options are several words
    if found=$(PAL_MUTANT=$name "$sim" --count "${seeds[$name]}" --until "${checker[$name]}" $more)
    then
        seed=${found#seed }
        seed=${seed%%:*}
        # What a mutant did not need says nothing about it; the engine's rivals have their own run.
        [ -n "$more" ] || [ "$seed" -le "$most" ] || most=$seed
        printf "$format" "$name" "$seed" "${seeds[$name]}" "${checker[$name]}" "${what[$name]}"
    else
        missed=$((missed + 1))
        printf "$format" "$name" MISSED "${seeds[$name]}" "${checker[$name]}" "${what[$name]}"
    fi
    [ "${crashes[$name]:-}" = yes ] || continue
    # Found is only what the last line counts; a program that breaks off prints none.
    table=$(PAL_MUTANT=$name "$sim" --crash-points) || true
    found=$(tail -n 1 <<<"$table")
    case $found in
        *', 0 complaints') missed=$((missed + 1)) ;;
        *' complaints') ;;
        *) fail "$name: the crash points were not run to their end" ;;
    esac
    printf "$format" "$name" - - "crash points: $found" "${what[$name]}"
done

if [ $# -eq 0 ]; then
    if ! engine=$("$sim" --count "$most"); then
        echo "$engine" >&2
        fail "the engine as it is fails in the same $most seeds"
    fi
    echo "the engine as it is: $(tail -n 1 <<<"$engine")"
fi
[ $missed -eq 0 ] || fail "$missed of ${#names[@]} were not caught"
echo "mutants: all ${#names[@]} were caught"
