# shellcheck shell=bash
# Part of ./dev: libFuzzer on what reads bytes from outside.

help_fuzz() {
    cat <<'EOT'
usage: ./dev fuzz [name…] [--seconds N]
Builds the fuzzers of tests/fuzz with Clang, AddressSanitizer and UndefinedBehaviorSanitizer, and runs those that are named, or all,
for N seconds each (60). They begin with tests/fuzz/corpus/<name> and with what earlier runs found (build/fuzz/corpus/<name>). A
finding ends it with 1 and leaves its input in build/fuzz/findings/.
EOT
}

verb_fuzz() {
    local seconds=60 failed='' name
    local -a known wanted=()
    mapfile -t known < <(cd tests/fuzz/corpus && printf '%s\n' *)
    while [ $# -gt 0 ]; do
        case $1 in
            --seconds)
                [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || { say "--seconds wants a number"; help_fuzz >&2; exit 2; }
                seconds=$2
                shift 2
                ;;
            *)
                case " ${known[*]} " in
                    *" $1 "*) wanted+=("$1") ;;
                    *) die "no fuzzer $1; there is: ${known[*]}" 2 ;;
                esac
                shift
                ;;
        esac
    done
    [ ${#wanted[@]} -gt 0 ] || wanted=("${known[@]}")
    need build lint
    build fuzz "${wanted[@]/#/fuzz_}"
    mkdir -p build/fuzz/findings
    for name in "${wanted[@]}"; do
        say "$name: $seconds s"
        mkdir -p "build/fuzz/corpus/$name"
        UBSAN_OPTIONS=print_stacktrace=1 "build/fuzz/bin/fuzz_$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=16384 \
            -print_final_stats=1 -artifact_prefix="build/fuzz/findings/$name-" "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" \
            >"build/fuzz/$name.log" 2>&1 || {
            say "$name: a finding (build/fuzz/$name.log)"
            tail -n 30 "build/fuzz/$name.log" >&2
            failed=yes
            continue
        }
        say "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz/$name.log") inputs, nothing found"
    done
    [ -z "$failed" ] || exit 1
}
