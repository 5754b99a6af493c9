# shellcheck shell=bash
# Part of ./dev: the verbs lint and format.

help_lint() {
    cat <<'EOT'
usage: ./dev lint [--changed]
Checks formatting (clang-format), clang-tidy and shell scripts. The layer check is part of configuring.
  --changed   only files that differ from the default branch, or from the commit before where this is it
EOT
}

# The files to look at: all of them, or with --changed those that differ from where this branch began.
listed() {
    if [ "$1" = all ]; then
        git ls-files --cached --others --exclude-standard | while read -r file; do [ ! -e "$file" ] || echo "$file"; done
        return
    fi
    local base
    base=$(git merge-base HEAD origin/HEAD 2>/dev/null || git merge-base HEAD origin/main 2>/dev/null || true)
    if [ -z "$base" ] || [ "$base" = "$(git rev-parse -q --verify HEAD || true)" ]; then
        base=$(git rev-parse -q --verify 'HEAD~1^{commit}' || git hash-object -t tree /dev/null)
    fi
    { git diff --name-only --diff-filter=d "$base"; git ls-files --others --exclude-standard; } | sort -u
}

sources() { listed "$1" | grep -E '\.(cpp|h)$' || true; }

verb_lint() {
    local scope=all failed=0
    case ${1:-} in
        --changed) scope=changed ;;
        '') ;;
        *) say "unknown option $1"; help_lint >&2; exit 2 ;;
    esac
    need build lint
    local -a code tidy scripts
    mapfile -t code < <(sources $scope)
    mapfile -t scripts < <(listed $scope | grep -E '^(dev|\.ci/run|.*\.sh)$' || true)

    if [ ${#scripts[@]} -gt 0 ]; then
        for script in "${scripts[@]}"; do bash -n "$script" || failed=1; done
        ! command -v shellcheck >/dev/null || shellcheck "${scripts[@]}" || failed=1
    fi
    if [ ${#code[@]} -gt 0 ]; then
        printf '%s\0' "${code[@]}" | xargs -0 -n 20 -P "${jobs:?}" "$(tool clang-format)" --dry-run -Werror || failed=1
        # A folder of its own: clang does not read the precompiled headers that GCC leaves in a build.
        cmake --preset dev -B build/lint -DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON >/dev/null
        # A header is checked through the source beside it. Tests are left out: they include what their build generates.
        mapfile -t tidy < <(printf '%s\n' "${code[@]}" | sed 's/\.h$/.cpp/' | sort -u \
            | while read -r file; do ! grep -qF "\"file\": \"$PWD/$file\"" build/lint/compile_commands.json || echo "$file"; done \
            | grep -v '^tests/' || true)
        if [ ${#tidy[@]} -gt 0 ]; then
            printf '%s\0' "${tidy[@]}" | xargs -0 -n 1 -P "$jobs" "$(tool clang-tidy)" --quiet -p build/lint 2> >(grep -v 'warnings generated' >&2) \
                || failed=1
        fi
    fi
    [ $failed = 0 ] || die "lint found something; ./dev format mends the formatting"
    say "lint: ${#code[@]} sources, ${#scripts[@]} scripts, nothing found"
}

help_format() {
    cat <<'EOT'
usage: ./dev format [--changed]
Applies .clang-format.
EOT
}

verb_format() {
    local scope=all
    [ "${1:-}" != --changed ] || scope=changed
    need lint
    sources $scope | tr '\n' '\0' | xargs -0 -r "$(tool clang-format)" -i
}
