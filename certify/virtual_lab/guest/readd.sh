#!/bin/sh
# What a storage administrator's script does for MD RAID-1: a member that MD gave up is taken out,
# and put back as soon as its disk answers again. MD then copies all of it.
# readd.sh SECONDS MD:LINK:SLOT...   (LINK: a stable name of the member's disk)
set -u
every=$1
shift
while sleep "$every"; do
    for entry; do
        md=/sys/block/${entry%%:*}/md
        link=${entry#*:}
        link=${link%:*}
        slot=${entry##*:}
        disk=$(readlink -f "$link")
        member=$md/dev-${disk##*/}
        if [ -e "$member/state" ]; then
            read -r state <"$member/state"
            case $state in
                *faulty*) echo remove >"$member/state" 2>/dev/null ;;
                *) continue ;;
            esac
        fi
        [ ! -e "$member/state" ] || continue
        read -r running <"/sys/class/block/${disk##*/}/device/state" || continue
        [ "$running" = running ] || continue
        read -r number <"/sys/class/block/${disk##*/}/dev" || continue
        echo "$(date -u +%T) $link: back in ${entry%%:*}, slot $slot"
        echo "$number" >"$md/new_dev" && echo "$slot" >"$member/slot" && echo recover >"$md/sync_action"
    done
done
