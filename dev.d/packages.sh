# shellcheck shell=bash
# Part of ./dev: installing what packaging/ lists.

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "installing packages needs root, and there is no sudo: run as root: $*"
    fi
}

# names <list>: the package names in a list, without comments.
names() { sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "packaging/linux/$1"; }

# logged <command…>: its pages of output go to a file, and to the screen only where it fails.
logged() {
    mkdir -p build
    "$@" >build/packages.log 2>&1 || {
        tail -n 30 build/packages.log >&2
        die "the packages could not be installed (all of it: build/packages.log)"
    }
}

install_debian() {
    local -a wanted missing
    mapfile -t wanted < <(for kind in "$@"; do names "debian-$kind.txt"; done | sort -u)
    mapfile -t missing < <(comm -13 \
        <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "${wanted[@]}" 2>/dev/null | sed -n 's/^.i  *//p' | sort -u) \
        <(printf '%s\n' "${wanted[@]}"))
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -qq update
    logged as_root env DEBIAN_FRONTEND=noninteractive apt-get -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
        -qq install -y --no-install-recommends "${missing[@]}"
}

install_fedora() {
    local -a wanted missing
    mapfile -t wanted < <(for kind in "$@"; do names "fedora-$kind.txt"; done | sort -u)
    mapfile -t missing < <(for name in "${wanted[@]}"; do rpm -q --quiet --whatprovides "$name" || echo "$name"; done)
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    logged as_root dnf install -y --setopt=install_weak_deps=False --skip-unavailable "${missing[@]}"
}

# need <kind…>: installs what packaging/ lists for build, test, lint or interop.
need() {
    if command -v dpkg-query >/dev/null; then
        install_debian "$@"
    elif command -v dnf >/dev/null; then
        install_fedora "$@"
    elif command -v brew >/dev/null; then
        brew bundle check --quiet --file packaging/macos/Brewfile >/dev/null || brew bundle install --file packaging/macos/Brewfile >&2
    else
        say "no apt, dnf or brew here: install the packages of packaging/linux/debian-build.txt yourself"
    fi
}

# tool <name>: the pinned version where it is there, the plain one otherwise.
tool() { command -v "$1-14" || command -v "$1" || die "$1 was not found"; }
