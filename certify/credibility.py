"""The suite's own figure, kept beside its code: what it found of the saboteurs, and false alarms.

`certify saboteurs publish` writes the file from measured results; nothing else does.
"""

from collections.abc import Sequence
from pathlib import Path

from certify import __version__
from certify.saboteurs.result import CleanRuns, Matrix, Outcome
from reports.record import Credibility, RecordError, RunRecord, encode, load

FILE = Path(__file__).with_name("credibility.json")


def published(path: Path = FILE, version: str = __version__) -> Credibility | None:
    """Return the figure of this *version*, None if it was never measured. Raises RecordError."""
    if not path.exists():
        return None
    seen = load(path, Credibility)
    return seen if seen.version == version else None


def credibility_of(
    matrix: Matrix, clean: CleanRuns, clean_runs: Sequence[RunRecord], *, measured_utc: str
) -> Credibility:
    """Put the figure together; raise RecordError for results that do not belong together.

    All must be of one version and commit, and the control must have been run: defects found by a
    suite that would also fail a good system prove nothing.
    """
    if matrix.control not in (Outcome.CLEAN, Outcome.FALSE_ALARM):
        raise RecordError(f"the control is {matrix.control}; expected a verdict on it")
    if not clean.judged:
        raise RecordError("no clean run came to a verdict; see certify saboteurs false-alarms")
    ran = [one for one in matrix.results if one.run]
    sources = {(one.version, one.commit) for one in ran}
    sources |= {(run.tool.version, run.tool.commit) for run in clean_runs}
    if len(sources) != 1:
        told = ", ".join(sorted(f"{version} {commit[:12]}" for version, commit in sources))
        raise RecordError(f"results of one commit are expected, found those of {told}")
    kernels = {one.kernel for one in ran} | {run.lab.kernel for run in clean_runs}
    ((version, commit),) = sources
    return Credibility(
        version=version,
        commit=commit,
        kernel=", ".join(sorted(kernels)),
        measured_utc=measured_utc,
        defects=matrix.defects,
        defects_found=matrix.found,
        clean_runs=clean.judged + (matrix.control in (Outcome.CLEAN, Outcome.FALSE_ALARM)),
        false_alarms=clean.false_alarms + (matrix.control is Outcome.FALSE_ALARM),
        inconclusive_runs=clean.inconclusive,
    )


def write(seen: Credibility, path: Path = FILE) -> None:
    """Write the figure."""
    path.write_bytes(encode(seen))
