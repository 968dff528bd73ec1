"""libiscsi's iscsi-test-cu: its words become assertions, and what it skipped did not pass.

It speaks SG_IO to one or two paths of one unit. A test that it cannot do on such a device says
"[SKIPPED]" and then counts as passed to it (test-tool/iscsi-support.h); here it is NOT RUN.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import msgspec

from certify.lab import LabError
from fault_injectors import FaultError, Shell
from reports.record import AssertionRecord, Verdict

PROGRAM = "iscsi-test-cu"
FAMILY = "iscsi-test-cu"
TESTS = "LINUX"
"""The tests that libiscsi's own README.md recommends for devices of Linux."""
TIMEOUT_S = 300.0
LOG_LINES_MAX = 200
"""Lines of a test that failed; it logs every command, 7 MB in all."""
WAIVERS = Path(__file__).with_name("waivers.toml")
CLAUSE = "libiscsi test-tool"
_SUITE = re.compile(r"^Suite: (?P<name>.+?)\s*$")
_TEST = re.compile(r"^\s*Test: (?P<name>.+?) \.\.\.(?P<rest>.*)$")
_END = re.compile(r"(?P<end>passed|FAILED)\s*$")
_FAILED_AT = re.compile(r"^\s+\d+\. \S+:\d+\s+- (?P<text>.*)$")
_SKIPPED = re.compile(r"\[SKIPPED\]\s*(?P<why>.*)$")
_STAMP = re.compile(r"^\s*\d{4}-\d\d-\d\d [\d:.]+ ")


class Blame(StrEnum):
    """Whose fault a failure is that is waived."""

    TEST = "test"
    HOST = "host"
    DEVICE = "device"


class Waiver(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One failure that is known, and why it does not count."""

    test: str
    reason: str
    blame: Blame


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    waiver: list[Waiver] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one test: `skipped` says why it did nothing, `failures` what it found."""

    test: str
    ended: bool
    failed: bool
    skipped: str
    failures: tuple[str, ...]
    log: tuple[str, ...]


def load_waivers(path: Path = WAIVERS) -> dict[str, Waiver]:
    """Read the waivers by test; raise LabError that says what is wrong with the file."""
    try:
        found = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File).waiver
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise LabError(f"{path}: {error}") from error
    twice = sorted({one.test for one in found if sum(one.test == each.test for each in found) > 1})
    if twice:
        raise LabError(f"{path}: expected one waiver for a test, seen several for {twice[0]}")
    for one in found:
        if not one.reason.strip():
            raise LabError(f"{path}: waiver of {one.test}: expected a reason, seen none")
    return {one.test: one for one in found}


def parse(text: str) -> list[Outcome]:
    """Read what it printed with `--verbose` and `--Verbose-scsi`, test by test, in order."""
    return [_outcome(name, lines) for name, lines in _blocks(text)]


def _blocks(text: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each test's "Suite.Test" and the lines up to the next one."""
    suite, name = "", ""
    lines: list[str] = []
    for line in text.splitlines():
        if (found := _SUITE.match(line)) is not None:
            if name:
                yield name, lines
            suite, name, lines = found["name"], "", []
        elif (found := _TEST.match(line)) is not None:
            if name:
                yield name, lines
            name, lines = f"{suite}.{found['name']}", [found["rest"]]
        elif line.startswith(("Run Summary", "--Run Summary")):
            break
        else:
            lines.append(line)
    if name:
        yield name, lines


def _outcome(name: str, lines: list[str]) -> Outcome:
    ends = [found["end"] for line in lines if (found := _END.search(line)) is not None]
    why = [found["why"] for line in lines if (found := _SKIPPED.search(line)) is not None]
    failures = [found["text"] for line in lines if (found := _FAILED_AT.match(line)) is not None]
    return Outcome(
        test=name,
        ended=bool(ends),
        failed="FAILED" in ends,
        skipped=why[0].strip() if why else "",
        failures=tuple(failures),
        log=tuple(text for line in lines if (text := _STAMP.sub("", line).strip())),
    )


def transcript(outcomes: Sequence[Outcome]) -> str:
    """Return what is kept as evidence: a line per test, and the last words of those that failed."""
    lines: list[str] = []
    for one in outcomes:
        word = "FAILED" if one.failed else "skipped" if one.skipped else "passed"
        lines.append(f"{one.test}: {word if one.ended else 'no end'} {one.skipped}".rstrip())
        if one.failed or not one.ended:
            lines += [f"    {text}" for text in (*one.log[-LOG_LINES_MAX:], *one.failures)]
    return "\n".join(lines) + "\n"


def assertions_of(
    outcomes: Sequence[Outcome], waivers: dict[str, Waiver], *, path: str, repeat: str
) -> list[AssertionRecord]:
    """Return a record per test, and one per waiver that was not needed."""
    found = [_assertion(one, waivers.get(one.test), path, repeat) for one in outcomes]
    failed = {one.test for one in outcomes if one.failed or not one.ended}
    found += [
        _record(
            f"waiver of {test}",
            Verdict.NOT_RUN,
            path,
            repeat,
            observed="",
            reason="not needed any more: the test did not fail. Take it out of waivers.toml",
        )
        for test in sorted(waivers)
        if test not in failed
    ]
    return found


def _assertion(one: Outcome, waiver: Waiver | None, path: str, repeat: str) -> AssertionRecord:
    line = repeat.replace(f"--test {TESTS} ", f"--test {TESTS}.{one.test} ")
    if not one.ended:
        return _record(
            one.test, Verdict.INCONCLUSIVE, path, line, observed="it did not end", reason="no end"
        )
    if one.failed:
        seen = "; ".join((*one.failures, *(text for text in one.log if "[FAILED]" in text)))
        if waiver is None:
            return _record(one.test, Verdict.FAIL, path, line, observed=seen)
        reason = f"waived ({waiver.blame}): {waiver.reason}"
        return _record(one.test, Verdict.NOT_RUN, path, line, observed=seen, reason=reason)
    if one.skipped:
        return _record(one.test, Verdict.NOT_RUN, path, line, observed="", reason=one.skipped)
    return _record(one.test, Verdict.PASS, path, line, observed="passed")


def _record(
    name: str, verdict: Verdict, path: str, repeat: str, *, observed: str, reason: str = ""
) -> AssertionRecord:
    return AssertionRecord(
        family=FAMILY,
        name=name,
        path=path,
        clause=CLAUSE,
        cdb="",
        expected="passed",
        observed=observed,
        repeat_with=repeat,
        verdict=verdict,
        reason=reason,
    )


def argv_of(devices: Sequence[str]) -> list[str]:
    """Return the command for one or two paths of one unit; it destroys what is on it."""
    return [PROGRAM, "--dataloss", "--verbose", "--Verbose-scsi", "--test", TESTS, *devices]


def run(devices: Sequence[str], shell: Shell) -> str:
    """Run it and return all that it printed; raise LabError when it cannot run or end."""
    try:
        completed = shell.run(argv_of(devices), timeout_s=TIMEOUT_S, check=False)
    except FaultError as error:
        raise LabError(f"{PROGRAM}: {error}") from error
    return completed.stdout + completed.stderr
