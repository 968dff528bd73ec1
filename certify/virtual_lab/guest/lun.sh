#!/bin/sh
# Take a logical unit away from its hosts at the target, and give it back.
# lun.sh unmap|map|is_unmapped LUN_FOLDER...   (configfs: .../tpgt_1/lun/lun_0)
# What a LUN was linked to is kept, for the kernel forgets it.
set -eu
verb=$1
shift
kept=${ZS_UNMAPPED:-/run/zerostall/unmapped}
mkdir -p "$kept"
for lun; do
    note=$kept/$(printf %s "$lun" | tr / _)
    case $verb in
        unmap)
            [ -L "$lun/port" ] || continue
            readlink -f "$lun/port" >"$note"
            rm "$lun/port"
            ;;
        map)
            [ -L "$lun/port" ] || ln -s "$(cat "$note")" "$lun/port"
            ;;
        is_unmapped)
            [ ! -L "$lun/port" ] || exit 1
            ;;
        *)
            echo "lun.sh: expected unmap, map or is_unmapped, seen $verb" >&2
            exit 2
            ;;
    esac
done
