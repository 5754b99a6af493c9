#!/usr/bin/env bash
# The window beside Mumble's, turn by turn in one run: milliseconds from the start to a visible window, processor time and memory at rest.
# usage: beside_mumble.sh vivavoce [rounds]       needs mumble, Xvfb, xdotool and xev. Qt Quick draws in software.
set -euo pipefail
program=$1
rounds=${2:-5}
for tool in mumble Xvfb xdotool xev; do
    command -v "$tool" >/dev/null || { printf 'beside_mumble: %s is not installed\n' "$tool" >&2; exit 2; }
done
home=$(mktemp -d)
display=:$((200 + RANDOM % 100))
Xvfb "$display" -screen 0 1280x1024x24 >/dev/null 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; rm -rf "$home"' EXIT
export DISPLAY=$display QT_QUICK_BACKEND=software HOME=$home XDG_RUNTIME_DIR=$home
chmod 700 "$home"
until xdotool getdisplaygeometry >/dev/null 2>&1; do :; done

now() { date +%s%N; }
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
pss() { awk '/^Pss:/ {sum += $2} END {printf "%.1f", sum / 1024}' "/proc/$1/smaps_rollup"; }

# one <name> <command…>: nothing else runs until the window is shown; whoever asked again and again would take one of two cores.
one() {
    local name=$1 before shown pid cpu line events watcher
    shift
    exec {events}< <(exec xev -root -event substructure 2>&1)
    watcher=$!
    # Until it has asked for its events.
    sleep 1
    before=$(now)
    "$@" >/dev/null 2>&1 &
    pid=$!
    while IFS= read -r -t 60 -u "$events" line; do
        [[ $line != MapNotify* ]] || break
    done
    shown=$((($(now) - before) / 1000000))
    kill "$watcher" 2>/dev/null || true
    exec {events}<&-
    xdotool search --onlyvisible --pid "$pid" >/dev/null || { printf '%s shows no window\n' "$name" >&2; exit 1; }
    sleep 5
    cpu=$(ticks "$pid")
    sleep 5
    printf '%-10s window after %5d ms, at rest %3d ticks in 5 s, %6s MB PSS\n' "$name" "$shown" $(($(ticks "$pid") - cpu)) "$(pss "$pid")"
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
}

for _ in $(seq "$rounds"); do
    one vivavoce "$program"
    one mumble mumble
done
