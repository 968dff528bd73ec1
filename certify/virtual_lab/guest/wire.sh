#!/bin/sh
# What the loopback device carries from and to one address: all, nothing, or late and with losses.
# wire.sh silence|is_silent|spoil|is_spoilt|mend ADDRESS
# silence drops both ways without telling anybody; spoil delays each frame and loses some.
# is_silent and is_spoilt exit 1 where it is not so; they want to have seen a frame dropped or delayed.
set -eu
verb=$1
address=$2
delay_ms=25 # each way: 50 ms there and back
loss=2%

mend() {
    tc qdisc del dev lo clsact 2>/dev/null || true
    tc qdisc del dev lo root 2>/dev/null || true
}

case $verb in
    silence)
        mend
        tc qdisc add dev lo clsact
        for end in src_ip dst_ip; do
            tc filter add dev lo egress protocol ip flower "$end" "$address" action drop
        done
        ;;
    is_silent)
        tc -s filter show dev lo egress | grep -q "dropped [1-9]" || exit 1
        ;;
    spoil)
        mend
        tc qdisc add dev lo root handle 1: prio bands 2 priomap 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
        tc qdisc add dev lo parent 1:2 handle 2: netem delay ${delay_ms}ms loss $loss
        for end in src_ip dst_ip; do
            tc filter add dev lo parent 1: protocol ip flower "$end" "$address" classid 1:2
        done
        ;;
    is_spoilt)
        tc -s qdisc show dev lo | grep -A 1 netem | grep -q "Sent [1-9]" || exit 1
        ;;
    mend)
        mend
        ;;
    *)
        echo "wire.sh: expected silence, is_silent, spoil, is_spoilt or mend, seen $verb" >&2
        exit 2
        ;;
esac
