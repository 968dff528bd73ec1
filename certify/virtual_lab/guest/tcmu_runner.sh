#!/bin/sh
# tcmu-runner as an operator's service: started, asked, started again.
# tcmu_runner.sh start [yes|no]   start it; yes: again and again, half a second after it has ended
# tcmu_runner.sh ready COUNT      exit 0 while it serves COUNT devices
set -u
run=/run/zerostall
pid=$run/tcmu-runner.pid

alive() {
    [ -s "$pid" ] && [ "$(cat "/proc/$(cat "$pid")/comm" 2>/dev/null)" = tcmu-runner ]
}

case $1 in
    start)
        ! alive || exit 0
        # The loop of "yes" starts it by itself.
        [ ! -e "$run/tcmu-runner.loop" ] || exit 0
        [ "${2:-no}" = no ] || : >"$run/tcmu-runner.loop"
        setsid sh -c '
            while :; do
                sh -c "echo \$\$ >$2; exec tcmu-runner --tcmu-log-dir $1"
                [ -e $1/tcmu-runner.loop ] || exit
                sleep 0.5
            done' start "$run" "$pid" >>"$run/tcmu-runner.out" 2>&1 </dev/null &
        ;;
    ready)
        alive || exit 1
        open=0
        for link in "/proc/$(cat "$pid")"/fd/*; do
            case $(readlink "$link") in /dev/uio*) open=$((open + 1)) ;; esac
        done
        [ "$open" -ge "$2" ]
        ;;
esac
