"""What several lab tests look at."""

import os
from pathlib import Path

from reports.folder import Run
from reports.record import EventKind, Verdict

MARK = f"ZEROSTALL_TEST={os.getpid()}"
"""In the environment of everything that these tests start, and of nothing else."""


def guest_processes() -> list[str]:
    """Return the command lines of all processes that these tests started and that still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            marked = MARK.encode() in (folder / "environ").read_bytes().split(b"\0")
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended while we looked, or is another user's
        if marked:
            found.append(line)
    return found


def assert_only_time_was_noticed(run: Run, scenario: str) -> None:
    """No I/O error, no wrong data, redundant again: what it takes is measured by certify run."""
    repeats = [one for one in run.judgement.scenarios if one.id == scenario]
    kinds = {event.kind for event in run.events if event.scenario == scenario}

    assert repeats
    for judged in repeats:
        assert judged.mismatches == judged.io_errors == 0
        assert judged.sectors_verified > 0
        assert judged.verdict is not Verdict.NOT_RUN
    assert {EventKind.PROVEN, EventKind.MEND_PROVEN, EventKind.REDUNDANCY} <= kinds
    assert EventKind.ERROR not in kinds
