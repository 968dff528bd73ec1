#!/bin/sh
# The witness of the cluster's router on the node that it runs on.
# witness.sh start PYTHON CONFIG [--new] | kill | is_gone | is_there
# kill is SIGKILL: what it ruled is in its file. is_gone and is_there exit 1 where it is not so.
set -eu
pid_file=/run/zerostall/witness.pid

is_there() {
    # A zombie has no command line.
    grep -q witness "/proc/$(cat "$pid_file" 2>/dev/null)/cmdline" 2>/dev/null
}

case $1 in
    start)
        is_there && exit 0
        shift
        python=$1 config=$2
        shift 2
        cd "${0%/certify/*}"
        setsid sh -c 'echo $$ > "$1"; shift; exec "$@"' sh "$pid_file" \
            "$python" -m reference_router witness --config "$config" "$@" \
            </dev/null >>/run/zerostall/witness.console 2>&1 &
        ;;
    kill)
        is_there || exit 0
        kill -KILL "$(cat "$pid_file")"
        ;;
    is_gone)
        ! is_there || exit 1
        ;;
    is_there)
        is_there || exit 1
        ;;
    *)
        echo "witness.sh: expected start, kill, is_gone or is_there, seen $1" >&2
        exit 2
        ;;
esac
