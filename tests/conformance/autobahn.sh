#!/usr/bin/env bash
# usage: autobahn.sh PROGRAM WSTEST
# Autobahn's test suite (its `wstest`) against the server and the client of net/, of which PROGRAM (vivavoce-autobahn) is both ends: all cases
# of framing, pings, reserved bits, opcodes, fragments, UTF-8 and closing. Those of compression, which is off, and of speed are left out.
# Ends with 1 where a case failed.
set -euo pipefail
program=$1 wstest=$2
readonly cases='"cases": ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"], "exclude-cases": [], "exclude-agent-cases": {}'
folder=$(mktemp -d)
running=''
trap '[ -z "$running" ] || kill "$running"; rm -rf "$folder"' EXIT
cd "$folder"

# outcomes <who>: how the cases of a report ended.
outcomes() {
    local report=$folder/$1/index.json all failed
    [ -f "$report" ] || { echo "autobahn: $1: no report"; return 1; }
    all=$(grep -c '"behavior":' "$report" || true)
    failed=$(grep -cE '"behavior(Close)?": "(FAILED|UNCLEAN|WRONG CODE|FAILED BY CLIENT|NO_CLOSE)"' "$report" || true)
    echo "autobahn: $1: $all cases: $(grep '"behavior":' "$report" | sed 's/.*: "\(.*\)".*/\1/' | sort | uniq -c | tr -s ' \n' ' ')" \
        "closing: $(grep '"behaviorClose":' "$report" | sed 's/.*: "\(.*\)".*/\1/' | sort | uniq -c | tr -s ' \n' ' ')"
    [ "$all" -gt 0 ] && [ "$failed" = 0 ] && return 0
    grep -B 2 -E '"behavior(Close)?": "(FAILED|UNCLEAN|WRONG CODE|FAILED BY CLIENT|NO_CLOSE)"' "$report"
    return 1
}

mkfifo end
"$program" serve <end >address &
running=$!
exec 3>end
for _ in $(seq 100); do [ -s address ] && break; sleep 0.1; done
echo "{\"outdir\": \"server\", \"servers\": [{\"agent\": \"vivavoce\", \"url\": \"$(cat address)\"}], $cases}" >client.json
timeout 600 "$wstest" -m fuzzingclient -s client.json >client.log 2>&1 || { tail -n 20 client.log; exit 1; }
exec 3>&-
wait "$running"
running=''

# It has to be told its port: one that was free a moment ago.
port=$(( 20000 + RANDOM % 10000 ))
echo "{\"outdir\": \"client\", \"url\": \"ws://127.0.0.1:$port\", $cases}" >server.json
"$wstest" -m fuzzingserver -u 0 -s server.json >server.log 2>&1 &
running=$!
for _ in $(seq 100); do (: >"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.1; done
timeout 600 "$program" run "ws://127.0.0.1:$port" || { tail -n 20 server.log; exit 1; }
kill "$running"
wait "$running" 2>/dev/null || true
running=''

result=0
outcomes server || result=1
outcomes client || result=1
exit $result
