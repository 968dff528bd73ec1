#!/bin/sh
# Switch machines off and on by their management controllers (IPMI), and ask whether they are.
#
#   power.sh VERB CONTROLLER ...
#   power.sh cut bmc-dr1
#
#   cut         power off at once, without a shut-down; may be given twice
#   on          power on; may be given twice; does not wait
#   is_off      0: every machine is off; 1: not so
#   is_on       0: every machine is on; 1: not yet
#   2           a controller did not answer, or said what this script does not know
#
# The user is $IPMI_USER, its password in the file $IPMI_PASSWORD_FILE (mode 600).
set -u

: "${IPMI_USER:=zerostall}" "${IPMI_PASSWORD_FILE:=/etc/zerostall/ipmi-password}"

fail() {
    echo "power: $*" >&2
    exit 2
}

ipmi() {
    controller=$1
    shift
    ipmitool -I lanplus -H "$controller" -U "$IPMI_USER" -f "$IPMI_PASSWORD_FILE" chassis power "$@"
}

each_is() { # STATE CONTROLLER ...: 0 if all are in it
    wanted=$1
    shift
    for one in "$@"; do
        said=$(ipmi "$one" status) || fail "$one: no answer"
        case $said in
            "Chassis Power is $wanted") ;;
            "Chassis Power is on" | "Chassis Power is off") echo "$one: $said"; return 1 ;;
            *) fail "$one: said '$said'" ;;
        esac
    done
}

switch() { # on or off; a controller may refuse what is done already
    ipmi "$1" "$2" >&2 && return
    [ "$(ipmi "$1" status)" = "Chassis Power is $2" ]
}

[ $# -ge 2 ] || fail "expected a verb and controllers"
verb=$1
shift
worst=0
case $verb in
    cut)
        # All at once: a site or a rack does not fall one box after another.
        pids=
        for one in "$@"; do
            switch "$one" off &
            pids="$pids $!"
        done
        for pid in $pids; do wait "$pid" || worst=2; done
        exit $worst
        ;;
    on)
        for one in "$@"; do switch "$one" on || worst=2; done # the others all the same
        exit $worst
        ;;
    is_off) each_is off "$@" || exit $? ;;
    is_on) each_is on "$@" || exit $? ;;
    *) fail "expected cut, on, is_off or is_on, seen $verb" ;;
esac
