#!/bin/sh
# What goes wrong with a machine, and is put right.
# upset.sh clock_step|clock_is_wrong|clock_set|clock_is_right NODE   on the host whose clock is right
# upset.sh disk_fill|disk_is_full|disk_empty FOLDER                  on the machine that has it
# The words that look exit 1 where it is not so.
set -eu
verb=$1
what=$2
step_s=3600
near_s=60 # right enough: SSH takes its time
ballast=$what/ballast

clock_is_near() {
    far_s=$(($(ssh "root@$what" date +%s) - $(date +%s)))
    [ "${far_s#-}" -lt "$near_s" ]
}

takes_a_block() {
    dd if=/dev/zero of="$what/block" bs=4096 count=1 2>/dev/null && took=yes || took=no
    rm -f "$what/block"
    [ "$took" = yes ]
}

case $verb in
    clock_step) ssh "root@$what" date -s "@$(($(date +%s) + step_s))" >/dev/null ;;
    clock_is_wrong) ! clock_is_near || exit 1 ;;
    clock_set) ssh "root@$what" date -s "@$(date +%s)" >/dev/null ;;
    clock_is_right) clock_is_near || exit 1 ;;
    disk_fill)
        # Ends with an error when there is no space left, which is what it is for.
        dd if=/dev/zero of="$ballast" bs=65536 2>/dev/null || true
        dd if=/dev/zero bs=512 2>/dev/null >>"$ballast" || true
        ;;
    disk_is_full) [ -e "$ballast" ] && ! takes_a_block || exit 1 ;;
    disk_empty) rm -f "$ballast" ;;
    *)
        echo "upset.sh: no such word: $verb" >&2
        exit 2
        ;;
esac
