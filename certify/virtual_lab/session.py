"""Start, use and end a virtual lab: what `certify run` and `certify lab` call."""

import compileall
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from certify.virtual_lab import kernels, layout, state
from certify.virtual_lab.boot import BootError
from certify.virtual_lab.client import Client
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.targets import DEFAULT_TARGET, target_named

LAB_FILE = layout.RUN / "lab.toml"
EXIT_USAGE = 2
EXIT_LAB = 4
GONE_TIMEOUT_S = 15.0
PACKAGES = ("certify", "fault_injectors", "reference_router", "reports")


def run_in_lab(
    argv: list[str],
    *,
    kernel: str | None,
    target: str | None,
    runs_dir: Path,
    writes: bool = True,
) -> int:
    """Run `certify ARGV` inside a lab, its output on ours; return its exit status.

    A lab of `certify lab up` is used if there is one, and must be of the *kernel* and *target*
    that are wanted, where None wants any; else a lab is booted for this command and
    ends with it. *runs_dir* is mounted in the guest at the same path and written through.
    A *kernel* or *target* of None takes what is up, or the default. A command that does not
    *write* does with whichever *runs_dir* a lab that is up has.
    Exit status 4 means that the lab could not be booted or died.
    """
    return _run_python(
        ["certify", *argv], kernel=kernel, target=target, runs_dir=runs_dir, writes=writes
    )


def bench(
    argv: list[str],
    *,
    kernel: str | None,
    target: str | None,
    runs_dir: Path,
    with_tcmu_runner: bool = False,
) -> int:
    """Print speeds of the router beside LIO, measured in one guest; return the exit status.

    *argv* goes to `certify.virtual_lab.bench`. *with_tcmu_runner* boots a second guest for it, so
    no other lab may be up then: exit status 2.
    """
    if with_tcmu_runner and standing_lab_is_up():
        say("certify: tcmu-runner needs a guest of its own: end the one that is up first")
        return EXIT_USAGE
    for extra in ([], ["--tcmu-runner"]) if with_tcmu_runner else ([],):
        status = _run_python(
            ["certify.virtual_lab.bench", *argv, *extra],
            kernel=kernel,
            target=target,
            runs_dir=runs_dir,
            writes=False,
        )
        if status:
            break
    return status


def up(*, kernel: str | None, target: str | None, runs_dir: Path) -> int:
    """Start the standing lab and leave it running; return 0, or 4 when it cannot boot."""
    try:
        state.remove_dead()
        _checked_target(target)
        folder = state.standing()
        if state.alive(folder):
            say("certify: the lab is up already; certify lab shell enters it")
            return 0
        folder.mkdir(mode=0o700, exist_ok=True)
        _start(folder, kernel=kernel, target=target, runs_dir=runs_dir, lifeline=None)
        say("certify: certify lab shell enters it, certify lab down ends it")
    except BootError as error:
        say(f"certify: {error}")
        return EXIT_LAB
    return 0


def shell(argv: list[str]) -> int:
    """Run *argv* (a shell if empty) in the standing lab on a terminal; return its exit status."""
    folder = state.standing()
    if not state.alive(folder):
        say("certify: no lab is up; certify lab up starts one")
        return EXIT_LAB
    try:
        with Client(folder) as client:
            if argv:
                return client.run(argv, env=_environment(), cwd="/")
            return client.shell(["/bin/bash", "-l"], env=_environment(), cwd="/root")
    except BootError as error:
        say(f"certify: {error}")
        return EXIT_LAB


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


def _run_python(
    module: list[str], *, kernel: str | None, target: str | None, runs_dir: Path, writes: bool
) -> int:
    try:
        with (
            _lab(kernel=kernel, target=target, runs_dir=runs_dir, writes=writes) as folder,
            Client(folder) as client,
        ):
            client.wait_ready(lambda _name, _seconds: None)
            return client.run([sys.executable, "-m", *module], env=_environment(), cwd="/")
    except BootError as error:
        say(f"certify: {error}")
        return EXIT_LAB


@contextmanager
def _lab(*, kernel: str | None, target: str | None, runs_dir: Path, writes: bool) -> Iterator[Path]:
    state.remove_dead()
    if standing_lab_is_up():
        _check_standing(kernel=kernel, target=target, runs_dir=runs_dir if writes else None)
        yield state.standing()
        return
    folder = state.new()
    theirs, ours = os.pipe()  # the keeper ends the guest when our end closes, however we end
    try:
        _start(
            folder,
            kernel=kernel,
            target=target or DEFAULT_TARGET,
            runs_dir=runs_dir,
            lifeline=theirs,
        )
        yield folder
    finally:
        os.close(theirs)
        os.close(ours)
        _wait_until_gone(folder)


def _wait_until_gone(folder: Path) -> None:
    deadline = time.monotonic() + GONE_TIMEOUT_S
    while state.alive(folder) and time.monotonic() < deadline:
        time.sleep(0.02)
    shutil.rmtree(folder, ignore_errors=True)


def _check_standing(*, kernel: str | None, target: str | None, runs_dir: Path | None) -> None:
    path = state.standing() / "settings.json"
    seen = msgspec.json.decode(path.read_bytes(), type=Settings)
    for what, wanted, found in (
        ("kernel", kernel or seen.kernel, seen.kernel),
        ("target", target or seen.target, seen.target),
        ("runs folder", str(runs_dir.resolve()) if runs_dir else seen.share, seen.share),
    ):
        if wanted != found:
            raise BootError(
                f"the lab that is up has the {what} {found}, this run wants {wanted}; "
                "certify lab down ends it"
            )


def _start(
    folder: Path, *, kernel: str | None, target: str | None, runs_dir: Path, lifeline: int | None
) -> None:
    wanted = _checked_target(target)
    chosen = kernels.choose(kernel, lambda text: say(f"certify: {text}"))
    runs_dir.mkdir(parents=True, exist_ok=True)
    _compile_packages()
    say(f"certify: booting the virtual lab, kernel {chosen.name}")
    start = time.monotonic()
    argv = [
        *(sys.executable, "-m", "certify.virtual_lab.keeper"),
        *("--folder", str(folder), "--kernel", chosen.name, "--target", wanted),
        *("--share", str(runs_dir.resolve())),
    ]
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
    say(f"certify: lab ready in {time.monotonic() - start:.1f} s")


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
