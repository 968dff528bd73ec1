#!/bin/sh
# Turn ports of Fibre Channel switches off and on by SSH, and prove it by their frame counters.
#
#   fc-port.sh VERB KIND:USER@SWITCH:PORT ...
#   fc-port.sh cut fos:admin@fcsw-a:7 nxos:admin@mds-b:fc1/7
#
# KIND: fos is Brocade Fabric OS, nxos is Cisco MDS NX-OS.
#
#   cut, mend   may be given twice; 0 when every switch took the command
#   is_cut      0: every port is off, and none of its counters moves for a second; 1: not so
#   is_whole    0: every port is on; 1: not yet
#   2           a switch did not answer, or said what this script does not know
set -u

SSH="ssh -T -o BatchMode=yes -o ConnectTimeout=5"
: "${STILL_S:=1}" # how long counters are watched

fail() {
    echo "fc-port: $*" >&2
    exit 2
}

split() { # KIND:USER@SWITCH:PORT into $kind, $switch, $port
    kind=${1%%:*}
    rest=${1#*:}
    switch=${rest%%:*}
    port=${rest#*:}
    [ "$kind:$switch:$port" = "$1" ] || fail "$1: expected KIND:USER@SWITCH:PORT"
    case $kind in fos | nxos) ;; *) fail "$1: expected fos or nxos, seen $kind" ;; esac
}

turn() { # on or off
    case $kind:$1 in
        fos:off) $SSH "$switch" "portdisable $port" </dev/null ;;
        fos:on) $SSH "$switch" "portenable $port" </dev/null ;;
        nxos:off) printf 'configure terminal\ninterface %s\nshutdown\nend\n' "$port" | $SSH "$switch" ;;
        nxos:on) printf 'configure terminal\ninterface %s\nno shutdown\nend\n' "$port" | $SSH "$switch" ;;
    esac >&2
}

state() { # prints on or off
    case $kind in
        fos)
            said=$($SSH "$switch" "portshow $port" </dev/null) || return 2
            seen=$(printf '%s\n' "$said" | sed -n 's/^portState:[[:space:]]*\([0-9]*\).*/\1/p')
            case $seen in 1) echo on ;; 2) echo off ;; *) return 2 ;; esac
            ;;
        nxos)
            said=$($SSH "$switch" "show interface $port" </dev/null) || return 2
            seen=$(printf '%s\n' "$said" | sed -n "s|^$port is ||p")
            case $seen in
                "down (Administratively down)"*) echo off ;;
                up* | trunking*) echo on ;;
                down*) echo waiting ;;
                *) return 2 ;;
            esac
            ;;
    esac
}

counters() { # prints frames received and sent
    case $kind in
        fos)
            $SSH "$switch" "portstatsshow $port" </dev/null |
                awk '$1 == "stat_frx" || $1 == "stat_ftx" { print $1, $2; n++ } END { exit n != 2 }'
            ;;
        nxos)
            $SSH "$switch" "show interface $port" </dev/null |
                awk '/frames (input|output)/ { print $1, $3; n++ } END { exit n != 2 }'
            ;;
    esac
}

all_counters() {
    for one in "$@"; do
        split "$one"
        counters || fail "$one: no counters"
    done
}

each_is() { # STATE PORT ...: 0 if all are in it
    wanted=$1
    shift
    for one in "$@"; do
        split "$one"
        seen=$(state) || fail "$one: no state"
        [ "$seen" = "$wanted" ] || { echo "$one is $seen"; return 1; }
    done
}

[ $# -ge 2 ] || fail "expected a verb and ports"
verb=$1
shift
for one in "$@"; do split "$one"; done # before anything is done: a slip must not cut by halves
case $verb in
    cut | mend)
        failed=0
        [ "$verb" = cut ] && to=off || to=on
        for one in "$@"; do
            split "$one"
            turn "$to" || failed=2 # the others all the same
        done
        exit $failed
        ;;
    is_cut)
        each_is off "$@" || exit $?
        before=$(all_counters "$@") || exit 2
        sleep "$STILL_S"
        after=$(all_counters "$@") || exit 2
        [ "$before" = "$after" ] || { echo "frames still pass"; exit 1; }
        ;;
    is_whole) each_is on "$@" || exit $? ;;
    *) fail "expected cut, mend, is_cut or is_whole, seen $verb" ;;
esac
