#!/usr/bin/env bash
# Installs the package on a clean Debian 12, made for this with debootstrap, and uses it there as its user would.
# usage: check_deb.sh vivavoce_….deb recording.wav         needs root; MIRROR names another Debian mirror
set -euo pipefail
package=$(realpath "$1")
recording=$(realpath "$2")
mirror=${MIRROR:-http://deb.debian.org/debian}
cache=$(dirname "$package")/debian12.tar
root=$(mktemp -d /var/tmp/vivavoce-root.XXXXXX)

say() { printf 'check: %s\n' "$*" >&2; }
die() { say "$1"; exit 1; }

leave() {
    umount "$root/proc" "$root/dev" 2>/dev/null || true
    rm -rf --one-file-system "$root"
}
trap leave EXIT

[ "$(id -u)" = 0 ] || die "debootstrap and chroot need root"

if [ ! -f "$cache" ]; then
    say "making a clean Debian 12"
    debootstrap --variant=minbase bookworm "$root" "$mirror" >/dev/null
    tar -C "$root" -cf "$cache.part" .
    mv "$cache.part" "$cache"
else
    tar -C "$root" -xf "$cache"
fi
chmod 755 "$root"
mount --bind /dev "$root/dev"
mount -t proc proc "$root/proc"
cp /etc/resolv.conf "$root/etc/resolv.conf"
cp "$package" "$recording" "$root/tmp/"
name=$(basename "$package")

# Not as root: that is how it is used.
inside() { chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive ${http_proxy:+http_proxy="$http_proxy"} "$@"; }
user() { chroot --userspec=1000:1000 "$root" env -i PATH=/usr/bin:/bin HOME=/home/user XDG_RUNTIME_DIR=/run/user/1000 LANG=C.UTF-8 "$@"; }

listed() { (cd "$root" && find etc usr var/lib -xdev | sort); }
listed >"$root/tmp/before"
say "installing $name"
inside apt-get -qq update
inside apt-get -qq install -y --no-install-recommends "/tmp/$name" >"$root/tmp/install.log" 2>&1 || { tail -n 30 "$root/tmp/install.log" >&2; die "it does not install"; }
inside useradd --create-home --uid 1000 user
mkdir -p "$root/run/user/1000" && chown 1000:1000 "$root/run/user/1000" && chmod 700 "$root/run/user/1000"

say "talking"
user vivavoce-cli talk --in "/tmp/$(basename "$recording")" --out /home/user/answer.wav >"$root/tmp/talk.jsonl" \
    || { tail -n 5 "$root/tmp/talk.jsonl" >&2; die "vivavoce-cli talk failed"; }
grep -q '"type":"summary"' "$root/tmp/talk.jsonl" || die "the conversation has no summary"
[ "$(stat -c %s "$root/home/user/answer.wav")" -gt 48000 ] || die "the answer is shorter than a second"

say "without a display"
code=0
user vivavoce >/dev/null 2>"$root/tmp/nodisplay" || code=$?
[ "$code" = 9 ] || die "the app without a display ended with $code, not 9"
[ -s "$root/tmp/nodisplay" ] || die "the app without a display says nothing"

say "with a display"
inside apt-get -qq install -y --no-install-recommends xvfb xauth x11-utils >/dev/null 2>&1
# shellcheck disable=SC2016 # the inner shell expands it
user xvfb-run -a sh -c '
    # On a busy machine the display is later than xvfb-run thinks.
    for _ in $(seq 300); do xwininfo -root >/dev/null 2>&1 && break; sleep 0.1; done
    vivavoce >/tmp/app.log 2>&1 &
    app=$!
    for _ in $(seq 300); do
        if xwininfo -root -tree | grep -q Vivavoce; then kill "$app"; exit 0; fi
        kill -0 "$app" 2>/dev/null || break
        sleep 0.1
    done
    cat /tmp/app.log >&2
    exit 1' || die "no window came"

say "removing"
inside apt-get -qq purge -y vivavoce >/dev/null 2>&1
left=$(listed | comm -13 "$root/tmp/before" - | grep -i vivavoce | grep -v /var/lib/dpkg || true)
[ -z "$left" ] || die "left behind: $(printf '%s' "$left" | head -n 5)"
say "installed, talked, opened its window, went without a trace"
