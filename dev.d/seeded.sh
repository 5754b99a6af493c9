# shellcheck shell=bash
# Part of ./dev: the verb seeded.

help_seeded() {
    cat <<'EOT'
usage: ./dev seeded [name…]
Breaks a copy of the sources in build/seeded/src as tests/seeded/bugs.txt says, one bug at a time, and runs the tests that are to notice. It
ends with 1 where one stays green, or is red without the bug. Three minutes on two cores, behind a quarter of an hour for the first build of the copy.
  --list    the bugs
  --check   only that each of them still has its place in the sources; the test test_seeded_bugs does that
EOT
}

# One element a bug.
bug_names=() bug_files=() bug_tests=() bug_olds=() bug_news=()

# Reads tests/seeded/bugs.txt, whose head says what is in it.
read_bugs() {
    local line last=-1
    while IFS= read -r line; do
        case $line in
            '= '*)
                last=$((last + 1))
                bug_names[last]=${line#= }
                # Whole lines: they begin behind the end of one.
                bug_olds[last]=$'\n' bug_news[last]=$'\n' bug_files[last]='' bug_tests[last]=''
                ;;
            '@ '*) read -r _ "bug_files[last]" "bug_tests[last]" <<<"$line" ;;
            -*) bug_olds[last]+=${line#-}$'\n' ;;
            +*) bug_news[last]+=${line#+}$'\n' ;;
            '#'* | '') ;;
            *) die "tests/seeded/bugs.txt: what is this? $line" 2 ;;
        esac
    done <tests/seeded/bugs.txt
}

# seeded <number> <file>: the text of the file with that bug. Fails where what it replaces is not there, or more than once.
seeded() {
    local text before old=${bug_olds[$1]}
    text=$(cat "$2" && echo x) || return 1
    text=$'\n'${text%x}
    before=${text%%"$old"*}
    [ "$before" != "$text" ] || { say "${bug_names[$1]}: ${bug_files[$1]} has not what it replaces"; return 1; }
    [ "$before" = "${text%"$old"*}" ] || { say "${bug_names[$1]}: ${bug_files[$1]} has what it replaces more than once"; return 1; }
    text=$before${bug_news[$1]}${text#*"$old"}
    printf '%s' "${text#$'\n'}"
}

check_bugs() {
    local i failed=0
    for i in "${!bug_names[@]}"; do
        [ -n "${bug_tests[i]}" ] || { say "${bug_names[i]}: which test is to notice it?"; failed=1; continue; }
        [ "${bug_olds[i]}" != "${bug_news[i]}" ] || { say "${bug_names[i]}: changes nothing"; failed=1; }
        seeded "$i" "${bug_files[i]}" >/dev/null || failed=1
    done
    [ $failed = 0 ] || die "mend tests/seeded/bugs.txt: what it breaks has changed"
    say "${#bug_names[@]} bugs have their places"
}

# copy_sources <folder>: what differs there is written anew, and so newer than what was built of it, with a bug or without.
copy_sources() {
    local file
    mkdir -p "$1"
    listed all | while read -r file; do
        cmp -s "$file" "$1/$file" || { mkdir -p "$1/$(dirname "$file")" && cp "$file" "$1/$file"; }
    done
    comm -13 <(listed all | sort) <(cd "$1" && find . -path ./build -prune -o -type f -print | sed 's|^\./||' | sort) \
        | while read -r file; do rm -f "$1/$file"; done
}

# run_tests <log> <name…>
run_tests() {
    local log=$1
    shift
    # A bug may make a test wait for ever.
    QTEST_FUNCTION_TIMEOUT=60000 ctest --test-dir build/dev --output-on-failure --no-tests=error \
        -R "^($(IFS='|'; printf '%s' "$*"))\$" >"$log" 2>&1
}

# failure <log>: the function that failed, or how the program ended.
failure() {
    local how
    how=$(sed -n 's/^FAIL!  : [A-Za-z]*::\([^(]*\).*/\1/p' "$1" | head -n 1)
    [ -n "$how" ] || how=$(sed -n 's/.*\*\*\*\([A-Z][A-Za-z]*\).*/\1/p' "$1" | head -n 1)
    echo "${how:-did not run}"
}

# try_bug <number>: in the copy. Prints what came of it, and fails unless all of its tests noticed.
try_bug() {
    local file=${bug_files[$1]} log=build/seeded.log test noticed=0
    local -a tests
    read -ra tests <<<"${bug_tests[$1]}"
    cp "$file" build/unbroken
    seeded "$1" build/unbroken >"$file"
    if ! build dev "${tests[@]}" >build/seeded-build.log 2>&1; then
        tail -n 20 build/seeded-build.log >&2
        echo 'does not compile'
        noticed=1
    else
        for test in "${tests[@]}"; do
            if run_tests "$log" "$test"; then
                echo "$test stays GREEN"
                noticed=1
            else
                echo "$test: $(failure "$log")"
            fi
        done
    fi
    # Newer than what was built of it.
    cat build/unbroken >"$file"
    return $noticed
}

verb_seeded() {
    read_bugs
    case ${1:-} in
        --list) printf '%s\n' "${bug_names[@]}"; return ;;
        --check) check_bugs; return ;;
    esac
    local -a wanted=() tests
    local i name result failed=0
    for name in "$@"; do
        for i in "${!bug_names[@]}"; do [ "${bug_names[i]%%:*}" != "$name" ] || wanted+=("$i"); done
    done
    [ ${#wanted[@]} = $# ] || die "there is no such bug; --list names them" 2
    [ $# -gt 0 ] || wanted=("${!bug_names[@]}")
    check_bugs
    need build test
    copy_sources build/seeded/src
    cd build/seeded/src || exit
    mapfile -t tests < <(for i in "${wanted[@]}"; do tr ' ' '\n' <<<"${bug_tests[i]}"; done | sort -u)
    say "without bugs: ${tests[*]}"
    files_in_memory
    build dev "${tests[@]}"
    run_tests build/unbroken.log "${tests[@]}" || { tail -n 40 build/unbroken.log >&2; die "red without any bug: that proves nothing"; }
    for i in "${wanted[@]}"; do
        SECONDS=0
        result=$(try_bug "$i") || failed=$((failed + 1))
        printf '%-28s %4d s  %s\n' "${bug_names[i]%%:*}" $SECONDS "$result"
    done
    [ $failed = 0 ] || die "$failed of ${#wanted[@]} bugs were not noticed"
    say "all ${#wanted[@]} bugs were noticed"
}
