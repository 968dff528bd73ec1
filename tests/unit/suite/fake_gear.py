"""A SAN of files: ssh, ipmitool and ping as commands, with switches, bridges and engines behind.

    python fake_gear.py NAME WORD ...     what NAME would do; the state is in $FAKE_GEAR

A script of its own, since what it stands for is started by shell scripts. It answers in the form
of Fabric OS, NX-OS, nft(8), tc(8), ip(8) and ipmitool(1). Machines that are off do not answer.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

STATE = Path(os.environ["FAKE_GEAR"])
PROGRAMS = ("ssh", "ipmitool", "ping", "nft", "tc", "ip", "sleep")
REFUSED = 255


def install(folder: Path) -> None:
    """Put the commands into *folder*, for PATH."""
    for name in PROGRAMS:
        script = folder / name
        words = shlex.join([sys.executable, "-I", "-S", __file__, name])
        script.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        script.chmod(0o755)
    (folder / "sleep").write_text("#!/bin/sh\n")


def count(name: str, step: int) -> int:
    """Add *step* to a counter and return it."""
    file = STATE / f"count-{name.replace('/', '_')}"
    value = (int(file.read_text()) if file.exists() else 100) + step
    file.write_text(str(value))
    return value


def flag(name: str) -> Path:
    """Return the file that is there while something is so."""
    return STATE / name.replace("/", "_")


def say(text: str) -> int:
    """Write an answer."""
    sys.stdout.write(f"{text}\n")
    return 0


def ssh(words: list[str]) -> int:
    """Reach a switch, an engine or a bridge."""
    while words[0].startswith("-"):
        words = words[2 if words[0] == "-o" else 1 :]
    host, command = words[0].partition("@")[2], " ".join(words[1:])
    (STATE / "asked").open("a").write(f"{host}: {command}\n")
    if flag(f"off-{host}").exists() or flag(f"panicked-{host}").exists():
        sys.stderr.write("ssh: no route to host\n")
        return REFUSED
    if host.startswith("fcsw"):
        return fabric_os(host, command.split())
    if host.startswith("mds"):
        return nx_os(host, command)
    if host.startswith("net"):
        environment = {**os.environ, "FAKE_HOST": host}
        return subprocess.run(["sh", "-c", command], env=environment, check=False).returncode
    return engine(host, command)


def fabric_os(switch: str, words: list[str]) -> int:
    """Answer as Fabric OS does; a port that is on has traffic."""
    verb, port = words
    off = flag(f"shut-{switch}-{port}")
    if verb == "portdisable":
        off.touch()
    elif verb == "portenable":
        off.unlink(missing_ok=True)
    elif verb == "portshow":
        state = "2\tOffline" if off.exists() else "1\tOnline"
        return say(f"portIndex: {port}\nportState: {state}\nProtocol: FC")
    elif verb == "portstatsshow":
        leaks = flag("leak").exists()
        frames = count(f"{switch}-{port}", 0 if off.exists() and not leaks else 7)
        return say(
            f"stat_wtx {frames * 9} 4-byte words transmitted\n"
            f"stat_ftx {frames} Frames transmitted\nstat_frx {frames} Frames received"
        )
    else:
        return 1
    return 0


def nx_os(switch: str, command: str) -> int:
    """Answer as NX-OS does; configuration comes by stdin."""
    if not command:
        lines = sys.stdin.read().splitlines()
        off = flag(f"shut-{switch}-{lines[1].removeprefix('interface ')}")
        off.touch() if lines[2] == "shutdown" else off.unlink(missing_ok=True)
        return 0 if lines[0] == "configure terminal" and lines[3] == "end" else 1
    port = command.split()[-1]
    off = flag(f"shut-{switch}-{port}").exists()
    frames = count(f"{switch}-{port}", 0 if off else 7)
    return say(
        f"{port} is {'down (Administratively down)' if off else 'up'}\n"
        f"    {frames} frames input, 4096 bytes\n    {frames} frames output, 4096 bytes"
    )


def engine(host: str, command: str) -> int:
    """Answer as the engines of the examples do."""
    if "sysrq" in command:
        flag(f"panicked-{host}").touch()
        return REFUSED
    if command == "show status":
        return say("State: online")
    return 0 if command in ("router-ctl is-serving", "router-ctl is-redundant") else 1


def nft(words: list[str]) -> int:
    """Keep tables of a bridge; every frame of a port meets its rules, but $FAKE_DEAF has none."""
    tables = STATE / f"nft-{os.environ['FAKE_HOST']}"
    tables.mkdir(exist_ok=True)
    if words == ["-f", "-"]:
        text = sys.stdin.read()
        name = text.split()[2]
        (tables / name).write_text("\n".join(re.findall(r"chain (\w+)", text)))
    elif words == ["list", "tables", "netdev"]:
        return max([say(f"table netdev {one.name}") for one in sorted(tables.iterdir())], default=0)
    elif words[:3] == ["list", "table", "netdev"]:
        frames = 0 if "FAKE_DEAF" in os.environ else 5
        chains = (tables / words[3]).read_text().split()
        rules = "".join(
            f"\tchain {one} {{\n\t\tcounter packets {frames} bytes 320 drop\n\t}}\n"
            for one in chains
        )
        return say(f"table netdev {words[3]} {{\n{rules}}}")
    else:
        (tables / words[3]).unlink()
    return 0


def tc(words: list[str]) -> int:
    """Keep the queue of a port."""
    netem = flag(f"netem-{os.environ['FAKE_HOST']}-{words[words.index('dev') + 1]}")
    if "replace" in words:
        netem.touch()
    elif "del" in words:
        netem.unlink()
    else:
        kind = "netem 8001: root" if netem.exists() else "noqueue 0: root"
        return say(f"qdisc {kind} refcnt 2\n Sent 4200 bytes 42 pkt (dropped 1, overlimits 0)")
    return 0


def ip(words: list[str]) -> int:
    """Say that the link of a port is up; there are nine ports."""
    port = words[-1]
    return say(f"4: {port}: <BROADCAST,UP,LOWER_UP>") if re.fullmatch(r"swp[1-9]", port) else 1


def ipmitool(words: list[str]) -> int:
    """Switch the machine of a controller, "bmc-" and its name."""
    host = words[words.index("-H") + 1].removeprefix("bmc-")
    off, verb = flag(f"off-{host}"), words[-1]
    if flag(f"mute-{host}").exists():
        return 1
    if verb == "off":
        off.touch()
        flag(f"panicked-{host}").unlink(missing_ok=True)
    elif verb == "on":
        off.unlink(missing_ok=True)
    else:
        return say(f"Chassis Power is {'off' if off.exists() else 'on'}")
    return 0


def ping(words: list[str]) -> int:
    """Say whether a machine answers."""
    gone = (flag(f"off-{words[-1]}"), flag(f"panicked-{words[-1]}"))
    return int(any(one.exists() for one in gone))


if __name__ == "__main__":
    ACT = {"ssh": ssh, "ipmitool": ipmitool, "ping": ping, "nft": nft, "tc": tc, "ip": ip}
    raise SystemExit(ACT[sys.argv[1]](sys.argv[2:]))
