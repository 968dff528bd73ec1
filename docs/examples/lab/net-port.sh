#!/bin/sh
# Silence and spoil ports of a Linux bridge by SSH, and prove it by counters. The link stays up, so
# nobody is told.
#
#   net-port.sh VERB USER@BRIDGE:PORT ...
#   net-port.sh cut root@net-a:swp1
#
# The bridge must forward by its kernel. A switch whose hardware forwards shows its kernel no frame:
# then nothing is cut, the counters stay at 0, and is_cut says no.
#
#   cut         drop all frames of the port, both ways
#   cut_in      drop only what comes from the port's cable
#   spoil       what goes to the port's cable is 50 ms late, 2 % of it is lost
#   mend        undo all of these
#   is_cut      0: the rules are there, and a frame met one on every port; 1: not so
#   is_spoil    0: likewise
#   is_whole    0: no rule, no delay, and the link is up; 1: not yet
#   2           a bridge did not answer, or said what this script does not know
# cut, cut_in, spoil and mend may be given twice. Counters begin anew with each cut and spoil.
set -u

SSH="ssh -T -o BatchMode=yes -o ConnectTimeout=5"
NETEM="delay 50ms loss 2%"

fail() {
    echo "net-port: $*" >&2
    exit 2
}

split() { # USER@BRIDGE:PORT into $bridge, $port, $table
    bridge=${1%%:*}
    port=${1#*:}
    case $port in '' | *[!A-Za-z0-9._-]*) fail "$1: expected USER@BRIDGE:PORT" ;; esac
    [ "$bridge:$port" = "$1" ] || fail "$1: expected USER@BRIDGE:PORT"
    table=zerostall_$(printf %s "$port" | tr .- __)
}

silence() { # HOOK ...: replaces the table, so the counters begin at 0
    {
        printf 'table netdev %s\ndelete table netdev %s\ntable netdev %s {\n' "$table" "$table" "$table"
        for hook in "$@"; do
            printf 'chain %s { type filter hook %s device "%s" priority 0; counter drop; }\n' \
                "$hook" "$hook" "$port"
        done
        printf '}\n'
    } | $SSH "$bridge" "nft -f -"
}

mend() {
    $SSH "$bridge" "nft list tables netdev | grep -qx 'table netdev $table' || exit 0
        nft delete table netdev $table" </dev/null
    nft=$?
    $SSH "$bridge" "tc qdisc show dev $port root | grep -q '^qdisc netem' || exit 0
        tc qdisc del dev $port root" </dev/null
    tc=$?
    [ $nft = 0 ] && [ $tc = 0 ]
}

rules() { # prints the table, nothing if there is none
    $SSH "$bridge" "ip link show dev $port >/dev/null && nft list tables netdev >/dev/null || exit 2
        nft list tables netdev | grep -qx 'table netdev $table' || exit 0
        nft list table netdev $table" </dev/null
}

delays() { # prints the port's queue with its counters
    $SSH "$bridge" "tc -s qdisc show dev $port root" </dev/null
}

is_cut() {
    said=$(rules) || fail "$one: no answer"
    printf '%s\n' "$said" | awk '$1 == "counter" && $NF == "drop" { n += $3 } END { exit !n }'
}

is_spoil() {
    said=$(delays) || fail "$one: no answer"
    printf '%s\n' "$said" |
        awk '$1 == "qdisc" { netem = $2 == "netem" } netem && $1 == "Sent" { n += $4 } END { exit !n }'
}

is_whole() {
    said=$(rules) || fail "$one: no answer"
    [ -z "$said" ] || return 1
    said=$(delays) || fail "$one: no answer"
    case $said in "qdisc netem"*) return 1 ;; esac
    said=$($SSH "$bridge" "ip -o link show dev $port" </dev/null) || fail "$one: no answer"
    case $said in *LOWER_UP*) ;; *) return 1 ;; esac
}

[ $# -ge 2 ] || fail "expected a verb and ports"
verb=$1
shift
for one in "$@"; do split "$one"; done # before anything is done: a slip must not cut by halves
worst=0
for one in "$@"; do
    split "$one"
    case $verb in
        cut) silence ingress egress || worst=2 ;;
        cut_in) silence ingress || worst=2 ;;
        spoil) $SSH "$bridge" "tc qdisc replace dev $port root netem $NETEM" </dev/null || worst=2 ;;
        mend) mend || worst=2 ;; # the others all the same
        is_cut | is_spoil | is_whole) "$verb" || { echo "$one: $verb: no"; exit 1; } ;;
        *) fail "unknown verb $verb" ;;
    esac
done
exit $worst
