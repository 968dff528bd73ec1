"""Glossary: the words of this report that a reader of contracts may not know."""

from reports.sheet import Sheet
from reports.view import View

_TERMS = (
    (
        "ALUA",
        "Asymmetric logical unit access (SPC-6): a target says of each of its ports whether it "
        "serves a logical unit at full speed, slowly or not at all.",
    ),
    ("Array", "A storage system that holds one copy of the data; here it stands behind engines."),
    (
        "Assertion",
        "One expectation of a standard about one command, tried on every path: the clause, the "
        "command, what must come back, what came back.",
    ),
    ("CDB", "Command descriptor block: the bytes of a SCSI command."),
    (
        "Counterexample",
        "The fewest operations which show that a sector was not what it had to be.",
    ),
    (
        "Engine",
        "One of the redundant processors of the system under test, which takes commands from "
        "hosts and serves them from the arrays.",
    ),
    (
        "Evidence root",
        "The SHA-256 of the manifest, which lists the SHA-256 of every file of the run. Who has "
        "this one number can tell whether a byte of the evidence was changed.",
    ),
    ("Failback", "What follows when the fault is mended, until all is as it was before."),
    ("Failover", "What follows a fault, until I/O flows again as it should."),
    ("Fault", "Something that was broken on purpose: a path, an engine, an array, a link."),
    ("Host", "The machine whose programs use the storage, and its multipath driver."),
    ("Leg", "One copy of a mirror, on one array."),
    (
        "Logical unit, LUN",
        "A disk as a host sees it. Its WWID names it, whatever path leads to it.",
    ),
    ("Mend", "To undo a fault."),
    (
        "Noise floor",
        "The slowest I/O of a disk that no fault touches: what the measuring host cannot tell from "
        "the system under test.",
    ),
    (
        "Open loop",
        "A load whose I/Os are due at fixed times, whatever became of those before.",
    ),
    ("Outage", "A time in which nothing can serve, as when both engines are broken at once."),
    (
        "p50, p99, p99.9",
        "Latency that half, 99 of 100, or 999 of 1000 I/Os were served within.",
    ),
    ("Path", "One way from a host through an engine to a logical unit."),
    ("Plane", "Where I/O is looked at: by the application, on one path, or at an array."),
    (
        "Protocol",
        "What is to be done and what passes, fixed before the first fault (plan.json).",
    ),
    ("Redundancy", "What is left to lose without an outage. A test ends when it is whole again."),
    ("Repeat", "The same scenario once more. The report shows the worst."),
    (
        "Resync",
        "To copy to a leg that was away what was written meanwhile.",
    ),
    ("Saboteur", "A system with one known defect, which the suite must fail."),
    ("Scenario", "One fault, or several together, with load before, during and after."),
    ("Sector", "512 bytes, the unit in which data is compared."),
    ("Sense data", "What a target says of a command that did not end well: key, ASC and ASCQ."),
    (
        "Stall",
        "The longest time that any I/O of the application took, from when it was due until done.",
    ),
    (
        "Unit attention",
        "What a target tells a host once, with its next command, after something changed.",
    ),
)
_VERDICTS = (
    ("PASS", "Everything that was asked was seen, and was within its limit."),
    ("FAIL", "Something that may not be was seen."),
    ("INCONCLUSIVE", "Neither can be said: noise, or a fault that was not proven. Never a pass."),
    ("NOT RUN", "It was not tried, for the reason given. Never a pass."),
)


def draw_glossary(sheet: Sheet, view: View) -> None:
    """Draw the verdicts and the terms."""
    del view
    sheet.chapter("Glossary", anchor="glossary", subtitle="Words as this report uses them.")
    sheet.definitions(list(_VERDICTS))
    sheet.gap(6)
    sheet.definitions(list(_TERMS))
