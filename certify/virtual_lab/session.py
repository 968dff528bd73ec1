"""Start, use and end a virtual lab: what `certify run` and `certify lab` call."""

import compileall
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from certify.virtual_lab import kernels, layout, state
from certify.virtual_lab.boot import BootError
from certify.virtual_lab.client import Client
from certify.virtual_lab.cluster import console, start
from certify.virtual_lab.cluster.plan import Plan, node_folder
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.targets import DEFAULT_TARGET, target_named

SINGLE, CLUSTER = "single", "cluster"
NO_LAB = "certify: no lab is up; certify lab up starts one"
LAB_FILE = layout.RUN / "lab.toml"
EXIT_USAGE = 2
EXIT_LAB = 4
GONE_TIMEOUT_S = 15.0
PACKAGES = ("certify", "fault_injectors", "reference_router", "reports")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The lab that a command wants: None is what is up, or the default.

    *runs_dir* is mounted in the guest at the same path and written through; None does with
    whichever a lab that is up has, and is for commands that write none.
    """

    kernel: str | None = None
    target: str | None = None
    topology: str | None = None  # "single" or "cluster"
    hosts: int | None = None  # of a cluster
    runs_dir: Path

    def differs_from(self, seen: Settings, *, writes: bool) -> list[tuple[str, str, str]]:
        """Return what of a lab that is up is not as wanted: its name, wanted, found."""
        member = seen.membership
        found_topology = CLUSTER if member else SINGLE
        found_hosts = str(member.hosts) if member else "2"
        share = str(self.runs_dir.resolve()) if writes else seen.share
        return [
            (what, wanted, found)
            for what, wanted, found in (
                ("kernel", self.kernel or seen.kernel, seen.kernel),
                ("target", self.target or seen.target, seen.target),
                ("topology", self.topology or found_topology, found_topology),
                ("number of hosts", str(self.hosts or found_hosts), found_hosts),
                ("runs folder", share, seen.share),
            )
            if wanted != found
        ]


def run_in_lab(argv: list[str], wanted: Wanted, *, writes: bool = True) -> int:
    """Run `certify ARGV` inside a lab, its output on ours; return its exit status.

    A lab of `certify lab up` is used if there is one, and must be as *wanted*; else a lab is
    booted for this command and ends with it. Exit status 4 means that the lab could not be booted
    or died.
    """
    return _run_python(["certify", *argv], wanted, writes=writes)


def bench(argv: list[str], wanted: Wanted, *, with_tcmu_runner: bool = False) -> int:
    """Print speeds of the router beside LIO, measured in one guest; return the exit status.

    *argv* goes to `certify.virtual_lab.bench`. *with_tcmu_runner* boots a second guest for it, so
    no other lab may be up then: exit status 2.
    """
    if with_tcmu_runner and standing_lab_is_up():
        say("certify: tcmu-runner needs a guest of its own: end the one that is up first")
        return EXIT_USAGE
    for extra in ([], ["--tcmu-runner"]) if with_tcmu_runner else ([],):
        status = _run_python(["certify.virtual_lab.bench", *argv, *extra], wanted, writes=False)
        if status:
            break
    return status


def up(wanted: Wanted) -> int:
    """Start the standing lab and leave it running; return 0, or 4 when it cannot boot."""
    try:
        state.remove_dead()
        _checked_target(wanted.target)
        folder = state.standing()
        if state.alive(folder):
            say("certify: the lab is up already; certify lab shell enters it")
            return 0
        folder.mkdir(mode=0o700, exist_ok=True)
        _start(folder, wanted, lifeline=None)
        say("certify: certify lab shell enters it, certify lab down ends it")
    except BootError as error:
        say(f"certify: {error}")
        return EXIT_LAB
    return 0


def shell(argv: list[str], node: str | None = None) -> int:
    """Run *argv* (a shell if empty) in the standing lab on a terminal; return its exit status.

    It is run on a *node* of a cluster, by default on the host that measures.
    """
    folder = state.standing()
    if not state.alive(folder):
        say(NO_LAB)
        return EXIT_LAB
    try:
        with Client(_door(folder, node)) as client:
            if argv:
                return client.run(argv, env=_environment(), cwd="/")
            return client.shell(["/bin/bash", "-l"], env=_environment(), cwd="/root")
    except BootError as error:
        say(f"certify: {error}")
        return EXIT_LAB


def outside(words: list[str]) -> int:
    """Do what *words* say to the standing cluster; see `cluster.console`. Returns its status."""
    folder = state.standing()
    if not state.alive(folder):
        say(NO_LAB)
        return EXIT_LAB
    status, text = console.act(folder, words)
    if text:
        say(f"certify: {text}")
    return status


def down() -> int:
    """End the standing lab; return 0 also when there is none."""
    folder = state.standing()
    if state.alive(folder):
        with Client(folder) as client:
            client.power_off()
        _wait_until_gone(folder)
    state.remove_dead()
    return 0


def standing_lab_is_up() -> bool:
    """Return whether `certify lab up` left a lab running."""
    return state.alive(state.standing())


def say(text: str) -> None:
    """Write one line of progress to stderr."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _run_python(module: list[str], wanted: Wanted, *, writes: bool) -> int:
    try:
        with _lab(wanted, writes=writes) as folder, Client(_door(folder)) as client:
            client.wait_ready(lambda _name, _seconds: None)
            return client.run([sys.executable, "-m", *module], env=_environment(), cwd="/")
    except BootError as error:
        say(f"certify: {error}")
        return EXIT_LAB


@contextmanager
def _lab(wanted: Wanted, *, writes: bool) -> Iterator[Path]:
    state.remove_dead()
    if standing_lab_is_up():
        _check_standing(wanted, writes=writes)
        yield state.standing()
        return
    folder = state.new()
    theirs, ours = os.pipe()  # the keeper ends the guest when our end closes, however we end
    try:
        _start(folder, wanted, lifeline=theirs)
        yield folder
    finally:
        os.close(theirs)
        os.close(ours)
        _wait_until_gone(folder)


def _settings(folder: Path) -> Settings:
    return msgspec.json.decode((folder / "settings.json").read_bytes(), type=Settings)


def _door(folder: Path, node: str | None = None) -> Path:
    """Return the folder of the keeper that runs commands: of a cluster, a node's. BootError."""
    member = _settings(folder).membership
    if member is None:
        if node is not None:
            raise BootError(f"node: the lab that is up is one guest; seen {node!r}")
        return folder
    name = Plan(member.hosts).node(node or member.node).name
    if not state.alive(node_folder(folder, name)):
        raise BootError(f"{name} has no power; certify lab power on {name} gives it back")
    return node_folder(folder, name)


def _wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + GONE_TIMEOUT_S
    while state.alive(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def _check_standing(wanted: Wanted, *, writes: bool) -> None:
    for what, expected, found in wanted.differs_from(_settings(state.standing()), writes=writes):
        raise BootError(
            f"the lab that is up has the {what} {found}, this run wants {expected}; "
            "certify lab down ends it"
        )


def _keeper_argv(folder: Path, wanted: Wanted) -> list[str]:
    """Return the command line of what keeps the lab: one guest, or a cluster of them."""
    target = _checked_target(wanted.target)
    share = str(wanted.runs_dir.resolve())
    if (wanted.topology or SINGLE) == CLUSTER:
        argv = start.keeper_argv(
            folder, kernel=wanted.kernel, target=target, hosts=wanted.hosts, share=share
        )
        say("certify: booting the virtual lab, a cluster of guests, kernel uml")
        return argv
    if wanted.hosts is not None:
        raise BootError(f"hosts: only a cluster has so many as are wanted; seen {wanted.hosts}")
    chosen = kernels.choose(wanted.kernel, lambda text: say(f"certify: {text}"))
    say(f"certify: booting the virtual lab, kernel {chosen.name}")
    return [
        *(sys.executable, "-m", "certify.virtual_lab.keeper"),
        *("--folder", str(folder), "--kernel", chosen.name, "--target", target),
        *("--share", share),
    ]


def _start(folder: Path, wanted: Wanted, *, lifeline: int | None) -> None:
    argv = _keeper_argv(folder, wanted)
    wanted.runs_dir.mkdir(parents=True, exist_ok=True)
    _compile_packages()
    begin = time.monotonic()
    if lifeline is not None:
        argv += ["--lifeline", str(lifeline)]
    with (folder / "keeper.log").open("wb") as log:
        subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=() if lifeline is None else (lifeline,),
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        )
    try:
        with Client(folder) as client:
            client.wait_ready(_print_step)
    except BootError as error:
        keeper_log = folder / "keeper.log"
        words = keeper_log.read_text(errors="replace").strip() if keeper_log.exists() else ""
        _wait_until_gone(folder)  # else the next command would take it for a lab that is up
        raise BootError(f"{error}\n{words}" if words else str(error)) from error
    say(f"certify: lab ready in {time.monotonic() - begin:.1f} s")


def _checked_target(target: str | None) -> str:
    return target_named(target or DEFAULT_TARGET).name


def _print_step(name: str, seconds: float) -> None:
    say(f"certify:   {name:<34}{seconds:6.1f} s" if seconds else f"certify:   {name}")


def _compile_packages() -> None:
    """Compile our modules once on the host: a guest that emulates its processor compiles slowly."""
    root = Path(__file__).resolve().parents[2]
    for name in PACKAGES:
        if os.access(root / name, os.W_OK):
            compileall.compile_dir(root / name, quiet=2)


def _environment() -> dict[str, str]:
    passed = ("TERM", "COLUMNS", "LINES", "NO_COLOR", "LANG")
    return {name: os.environ[name] for name in passed if name in os.environ}
