"""How far the suite itself can be believed: what it found of planted defects, and false alarms."""

from reports.record_base import Record


class Credibility(Record, frozen=True, kw_only=True):
    """What was measured of one version of the suite, before the run that quotes it."""

    version: str  # of the suite
    commit: str
    kernel: str  # of the virtual labs
    measured_utc: str
    defects: int  # systems with one known defect each
    defects_found: int  # FAIL, for the reason that was meant
    clean_runs: int  # of the good system, that ended in a verdict
    false_alarms: int  # of those, FAIL
    inconclusive_runs: int = 0  # beside those: nothing could be said


NOT_MEASURED = "not measured for this version"


def credibility_sentence(seen: Credibility | None) -> str:
    """Return "n of n planted defects found, 0 false alarms in m clean runs", or that it is not."""
    if seen is None:
        return NOT_MEASURED
    alarms = "1 false alarm" if seen.false_alarms == 1 else f"{seen.false_alarms} false alarms"
    return (
        f"{seen.defects_found} of {seen.defects} planted defects found, "
        f"{alarms} in {seen.clean_runs} runs of a good system"
    )
