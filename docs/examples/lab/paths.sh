#!/bin/sh
# Print a [[path]] for each target that this host sees by Fibre Channel or iSCSI, for lab.toml.
# Who owns the port, only you know: put the engine's name where a question mark is, and leave out
# the ports of arrays and of other systems.
#
#   paths.sh            $SYSFS is another /sys, for tests
set -u

: "${SYSFS:=/sys}"

path() { # NAME HCTL PORT INITIATOR
    printf '[[path]]\nname = "%s"\nengine = "?"  # whose port is %s? seen by %s\nhctl = "%s"\n\n' \
        "$1" "$3" "$4" "$2"
}

for rport in "$SYSFS"/class/fc_remote_ports/rport-*; do
    [ -e "$rport" ] || continue
    target=$(cat "$rport/scsi_target_id")
    [ "$target" != -1 ] && [ "$target" != 4294967295 ] || continue # no target: a switch, a host
    address=${rport##*/rport-} # "7:0-3": host, channel, number
    host=${address%%:*}
    channel=${address#*:}
    channel=${channel%%-*}
    path "host$host-target$target" "$host:$channel:$target:*" \
        "$(cat "$rport/port_name")" "$(cat "$SYSFS/class/fc_host/host$host/port_name")"
done

for session in "$SYSFS"/class/iscsi_session/session*; do
    [ -e "$session" ] || continue
    number=${session##*/session}
    for target in "$session"/device/target*; do
        [ -e "$target" ] || continue
        address=${target##*/target} # "3:0:0"
        portal=$(cat "$SYSFS/class/iscsi_connection/connection$number:0/persistent_address")
        path "session$number" "$address:*" "$(cat "$session/targetname") at $portal" \
            "$(cat "$session/initiatorname")"
    done
done
