"""What hosts and applications tolerate, with sources, and whether a run stayed below. No layout.

A limit is the time without I/O after which something happens to the application. Only limits with
a source are here: settings that sites change are told with their default.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from reports.model import Scenario
from reports.record import Verdict
from reports.words import duration, plural


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """One program and how long it waits for its storage."""

    program: str
    limit_ms: float
    consequence: str  # what happens then
    source: str
    group: str = ""  # "host" or "application"


HOST = "host"
APPLICATION = "application"
_STALL = "Longest stall"
"""How the names of the checks begin that are only about time."""

TOLERANCES = (
    Tolerance(
        program="iSCSI initiator, NOP-Out",
        limit_ms=10_000,
        consequence="session is dropped and the path fails over: interval 5 s and timeout 5 s",
        source="open-iscsi, iscsid.conf: noop_out_interval, noop_out_timeout",
        group=HOST,
    ),
    Tolerance(
        program="iSCSI initiator, abort",
        limit_ms=15_000,
        consequence="the abort of a command is given up and the unit is reset",
        source="open-iscsi, iscsid.conf: abort_timeout",
        group=HOST,
    ),
    Tolerance(
        program="SQL Server",
        limit_ms=15_000,
        consequence="message 833: an I/O took longer than 15 s",
        source="Microsoft, SQL Server storage guide",
        group=APPLICATION,
    ),
    Tolerance(
        program="Oracle ASM, normal or high redundancy",
        limit_ms=15_000,
        consequence="the disk goes offline or the disk group is dismounted (_asm_hbeatiowait; "
        "later releases wait 120 s)",
        source="Oracle support document 1581684.1",
        group=APPLICATION,
    ),
    Tolerance(
        program="Oracle RAC, Grid home on the SAN",
        limit_ms=27_000,
        consequence="the node is evicted: misscount 30 s less reboottime 3 s",
        source="NetApp, Oracle configuration, RAC; crsctl get css misscount",
        group=APPLICATION,
    ),
    Tolerance(
        program="Linux SCSI command timer",
        limit_ms=30_000,
        consequence="the error handler begins: abort, then resets, then the device goes offline",
        source="Linux, device/timeout in sysfs, default",
        group=HOST,
    ),
    Tolerance(
        program="Windows disk driver",
        limit_ms=60_000,
        consequence="the I/O counts as timed out and is tried again: TimeoutValue, as most makers "
        "of arrays set it",
        source="Microsoft, The Windows disk timeout value: less is better",
        group=HOST,
    ),
    Tolerance(
        program="Linux hung task watchdog",
        limit_ms=120_000,
        consequence="the kernel logs the process as blocked; some sites let it panic",
        source="Linux, kernel.hung_task_timeout_secs, default",
        group=HOST,
    ),
    Tolerance(
        program="VMware ESXi, all paths down",
        limit_ms=140_000,
        consequence="the device counts as unreachable, and I/O that is not of virtual machines "
        "ends (Misc.APDTimeout)",
        source="VMware vSphere Storage: change timeout limits for storage APD",
        group=APPLICATION,
    ),
    Tolerance(
        program="Oracle RAC, voting disk",
        limit_ms=200_000,
        consequence="the voting disk is given up: disktimeout",
        source="Oracle, crsctl get css disktimeout, default",
        group=APPLICATION,
    ),
)
"""From the shortest limit to the longest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """The worst that the applications of a run were exposed to, over all faults and repeats."""

    worst_ms: float | None
    where: str  # scenario and direction of it
    errors: int
    wrong: int
    broken: tuple[str, ...]  # scenarios that failed for another reason than time
    open: tuple[str, ...]  # scenarios without a verdict
    outages: tuple[str, ...]  # scenarios with an outage that must be; it is in no figure here
    indicative: bool  # times of an emulated CPU


def exposure_of(scenarios: Sequence[Scenario], *, indicative: bool) -> Exposure:
    """Sum up what an application must not feel.

    The judge leaves an outage that the plan means out of stalls and errors; what is before it, and
    the data, counts as anywhere.
    """
    faults = [one for one in scenarios if one.is_fault]
    stalls = [
        (stall.worst_ms, f"{one.plan.id} {direction}")
        for one in faults
        for direction, stall in (("failover", one.failover), ("failback", one.failback))
        if stall.worst_ms is not None
    ]
    worst = max(stalls, default=(None, ""), key=lambda stall: stall[0] or 0.0)
    judged = (Verdict.PASS, Verdict.FAIL)
    return Exposure(
        worst_ms=worst[0],
        where=worst[1],
        errors=sum(one.io_errors for one in faults),
        wrong=sum(one.mismatches for one in faults),
        broken=tuple(one.plan.id for one in faults if _failed_otherwise(one)),
        open=tuple(one.plan.id for one in faults if one.verdict not in judged),
        outages=tuple(one.plan.id for one in faults if one.plan.outage is not None),
        indicative=indicative,
    )


def _failed_otherwise(scenario: Scenario) -> bool:
    """Whether it failed for more than a stall beyond its limit: I/O that never ended, say."""
    failed = [one for one in scenario.repeats if one.verdict is Verdict.FAIL]
    return any(
        not (grave := [check for check in one.checks if check.verdict is Verdict.FAIL])
        or any(not check.name.startswith(_STALL) for check in grave)
        for one in failed
    )


def tolerated(one: Tolerance, seen: Exposure) -> Verdict:
    """Say whether *one* can live with what was seen.

    PASS means below the limit in every fault of the plan. An error, wrong data, or what else
    failed is safe for nobody. What was not judged, or not timed truly, leaves it open.
    """
    if seen.wrong or seen.errors or seen.broken:
        return Verdict.FAIL
    if seen.worst_ms is None:
        return Verdict.NOT_RUN
    if seen.indicative:
        return Verdict.INCONCLUSIVE
    if seen.worst_ms >= one.limit_ms:
        return Verdict.INCONCLUSIVE if _open_only(seen) else Verdict.FAIL
    return Verdict.INCONCLUSIVE if seen.open else Verdict.PASS


def _open_only(seen: Exposure) -> bool:
    """Whether the worst is of a scenario that could not be judged."""
    return seen.where.split(" ")[0] in seen.open


def safe_words(seen: Exposure) -> str:
    """Say in a few words for what of the table the system is safe."""
    verdicts = [(one, tolerated(one, seen)) for one in TOLERANCES]
    safe = [one for one, verdict in verdicts if verdict is Verdict.PASS]
    listed = f"{len(TOLERANCES)} programs and hosts listed"
    if safe:
        shortest = duration(min(one.limit_ms for one in safe))
        if len(safe) == len(TOLERANCES):
            return f"all {listed}; the most impatient waits {shortest} for its storage"
        return f"{len(safe)} of {listed}, those that wait {shortest} or longer for their storage"
    if any(verdict is Verdict.FAIL for _, verdict in verdicts):
        return f"none of the {listed}"
    return f"not shown for any of the {listed}"


def sentence(seen: Exposure) -> str:
    """Say what the verdicts of the table rest on."""
    if seen.wrong or seen.errors or seen.broken:
        told = [
            plural(number, noun)
            for number, noun in ((seen.errors, "I/O error"), (seen.wrong, "wrong sector"))
            if number
        ]
        if not told:
            return f"Safe for no application: {_names(seen.broken)} failed, and not by time only."
        return f"Safe for no application, whatever the time: {' and '.join(told)} reached it."
    if seen.worst_ms is None:
        return "No stall was measured, so nothing can be said."
    text = f"The longest stall was {duration(seen.worst_ms)}, in {seen.where}."
    if seen.indicative:
        text += " An emulated CPU took the times, so they decide nothing."
    if seen.open:
        text += f" Without a verdict: {_names(seen.open)}; so “safe” cannot be said."
    if seen.outages:
        text += f" Not counted: the outages that must be, in {_names(seen.outages)}."
    return text


def _names(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - 12} more" if len(ids) > 12 else ""
    return ", ".join(ids[:12]) + more
