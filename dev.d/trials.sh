# shellcheck shell=bash
# Part of ./dev: the verbs bench, soak and vectors.

help_bench() {
    cat <<'EOT'
usage: ./dev bench [name] [options of that bench]
Builds the release preset and runs a measurement. Without a name: lists them.
  broker   the broker beside express, jose and express-rate-limit: mints a second, latency, start-up, memory
  relay    its relay beside nginx, haproxy and one of Node's ws, in turns: latency, what arrives, processor time of a message, memory, a client
           that stops reading, the first response; --only duty|memory|stall|first, --rounds N, --seconds N. Ten minutes
  protocol what it takes to write and read a provider's messages, beside the npm clients of OpenAI and Google: --rounds N, --milliseconds N
  usage    reports of a million sessions, from SQLite and, where it is installed, PostgreSQL: --sessions N; --url URL of a database that has none yet
  window   the application beside Mumble, where that, Xvfb and xdotool are installed
EOT
}

# bench_relay [options]: peers that cannot be had are left out, and it says so.
bench_relay() {
    need_node
    (need bench) || say "not all peers could be installed: the bench goes without"
    local bin=$PWD/build/release/bin load=$PWD/build/release/bin/vivavoce-bench-relay
    local -a agent=()
    build release vivavoce-broker vivavoce-bench-relay
    if ninja -C build/release -t query vivavoce-agent >/dev/null 2>&1; then
        build release vivavoce-agent
        agent=("$bin/vivavoce-agent")
    fi
    npm_ci bench/peers/relay
    files_in_memory
    cd bench/peers/relay || exit
    "${node:?}" bench.mjs "$bin/vivavoce-broker" "$load" "${agent[@]}" "$@"
}

verb_bench() {
    need build test
    configure release
    local -a known
    mapfile -t known < <(ninja -C build/release -t targets all | sed -n 's/^vivavoce-bench-\([a-z-]*\): phony$/\1/p' | sort -u)
    if [ $# = 0 ]; then
        printf '%s\n' "${known[@]}" broker window
        return
    fi
    if [ "$1" = window ]; then
        build release programs
        exec bench/window/beside_mumble.sh "$PWD/build/release/bin/vivavoce" "${@:2}"
    fi
    if [ "$1" = broker ]; then
        need_node
        build release vivavoce-broker
        local program=$PWD/build/release/bin/vivavoce-broker
        npm_ci bench/peers/broker
        cd bench/peers/broker || exit
        exec "${node:?}" bench.mjs "$program" "${@:2}"
    fi
    if [ "$1" = relay ]; then
        bench_relay "${@:2}"
        return
    fi
    if [ "$1" = protocol ]; then
        need_node
        build release vivavoce-bench-protocol
        local measured=$PWD/build/release/bin/vivavoce-bench-protocol
        npm_ci bench/peers/protocol
        cd bench/peers/protocol || exit
        exec "${node:?}" bench.mjs "$measured" "${@:2}"
    fi
    local name=$1
    shift
    case " ${known[*]} " in
        *" $name "*) ;;
        *) die "no bench $name; there is: ${known[*]:-none}" 2 ;;
    esac
    build release "vivavoce-bench-$name"
    exec "build/release/bin/vivavoce-bench-$name" "$@"
}

help_soak() {
    cat <<'EOT'
usage: ./dev soak [name] [options of ctest]
Runs the trials that take long (label "soak"), three hours in all: the loudspeaker heard by the microphone while the agent speaks, with and
without the echo canceller; a minute of sound without a dropout; a broker that is killed a hundred times under load; a session of 15 minutes
through the relay; an hour of streams that come and go; a conversation of an hour over real sockets, and one of a day in simulated time;
all that can go wrong between a client, its broker and its provider; three brokers behind HAProxy of which one is killed, or each restarted, under
load. By name one of them: relay_session, relay_churn, session_hour, simulated_day, conversation_faults, broker_kills, usage_kills, scale_out, ...
  VV_SOAK_SESSION_SECONDS   of that session (900)
  VV_SOAK_CHURN_SECONDS     of streams that come and go (3600)
  VV_SOAK_MINUTES           of the conversation over real sockets (60)
EOT
}

verb_soak() {
    local -a only=()
    case ${1:--} in
        -*) ;;
        *) only=(-R "^soak_$1\$" --no-tests=error --verbose); shift ;;
    esac
    need build test
    build dev
    files_in_memory
    ctest --test-dir build/dev -C soak -L soak --output-on-failure "${only[@]}" "$@"
}

help_vectors() {
    cat <<'EOT'
usage: ./dev vectors DIR
Runs other people's test vectors, those that are in DIR:
  Wycheproof's JWS and JWK vectors (json_web_signature_test.json, json_web_key_test.json; in DIR or DIR/wycheproof) against the broker's
  token verifier; it fails if one of their invalid ones is accepted
  Autobahn's WebSocket suite, where DIR has it as a program that runs: DIR/wstest, or DIR/autobahn/wstest. Its cases 1 to 7 and 10 against
  the server and the client of net/; it fails if one of them does
EOT
}

verb_vectors() {
    [ $# = 1 ] || { help_vectors >&2; exit 2; }
    local dir=$1 wycheproof=$1 wstest='' result=0
    [ ! -d "$dir/wycheproof" ] || wycheproof=$dir/wycheproof
    for program in "$dir/wstest" "$dir/autobahn/wstest"; do [ ! -x "$program" ] || wstest=$(realpath "$program"); done
    [ -f "$wycheproof/json_web_signature_test.json" ] || [ -n "$wstest" ] || die "$dir has neither Wycheproof's vectors nor Autobahn's wstest" 2
    need build test
    if [ -f "$wycheproof/json_web_signature_test.json" ]; then
        build dev vivavoce-vectors
        build/dev/bin/vivavoce-vectors "$wycheproof" || result=1
    fi
    if [ -n "$wstest" ]; then
        build dev vivavoce-autobahn
        tests/conformance/autobahn.sh "$PWD/build/dev/bin/vivavoce-autobahn" "$wstest" || result=1
    fi
    return $result
}
