"""Commands on a run folder: seal, report, verify; and the end of every run."""

import argparse
from pathlib import Path

from certify.commands.output import say, say_json, tell
from certify.seal import judge_folder, seal
from certify.verdict import ExitCode, show_ms
from reports.folder import SignedReportError, evidence_root, load_sealed
from reports.record import JudgementRecord, RecordError, Verdict, load


def conclude(folder: Path, *, as_json: bool = False) -> int:
    """Seal a run, write its report, say how it ended; return the verdict's exit code."""
    tell("certify: sealing the evidence and judging it")
    judgement = seal(folder)
    tell("certify: writing the report")
    pdf, page = _write_both(folder)
    if as_json:
        say_json(_result(folder, judgement, pdf, page))
        return judgement.exit_code
    for line in summary(judgement):
        say(line)
    say()
    say(f"report  {_short(pdf)}")
    say(f"screen  {_short(page)}")
    say(f"junit   {_short(folder / 'junit.xml')}")
    return judgement.exit_code


def _result(folder: Path, judgement: JudgementRecord, pdf: Path, page: Path) -> dict[str, object]:
    """Return the outcome of a run for a machine; verdict.json has the whole of it."""
    return {
        "verdict": judgement.verdict,
        "grade": judgement.grade,
        "certified": judgement.certified,
        "exit_code": judgement.exit_code,
        "sentence": judgement.sentence,
        "findings": judgement.findings,
        "run": str(folder),
        "report": str(pdf),
        "page": str(page),
        "junit": str(folder / "junit.xml"),
        "evidence_root": evidence_root(folder),
    }


def summary(judgement: JudgementRecord) -> list[str]:
    """Return the verdict in words, failures first."""
    word = f"CERTIFIED, {judgement.grade}" if judgement.certified else "NOT CERTIFIED"
    if judgement.verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_RUN):
        word = f"NOT CERTIFIED ({judgement.verdict})"
    told = [f"  {one.severity}: {_named(one.scenario)}{one.text}" for one in judgement.findings]
    notes = [line for line in told if not line.startswith("  note")]
    return [f"{word}: {judgement.sentence}", *notes[:20], *_repeats(judgement)]


def _repeats(judgement: JudgementRecord) -> list[str]:
    """Return a line per scenario that was repeated: the worst, and what the number of them says."""
    return [
        f"  repeats: {one.id}: {one.repeats}, {one.failed} failed, worst stall "
        f"{_shown(one.worst_failover_ms)} after the fault, {_shown(one.worst_failback_ms)} after "
        f"mending; chance of a failure at most {100 * one.failure_share_max:.0f} % (95 %)"
        for one in judgement.summaries
        if one.repeats > 1 and one.failure_share_max is not None
    ]


def _shown(ms: float | None) -> str:
    return "–" if ms is None else show_ms(ms)


def _named(scenario: str) -> str:
    return f"{scenario}: " if scenario else ""


def seal_run(arguments: argparse.Namespace) -> int:
    """Judge a run again with this version's judge."""
    return conclude(arguments.run.resolve(), as_json=arguments.json)


def report(arguments: argparse.Namespace) -> int:
    """Write the PDF of a sealed run; of a folder that is no evidence, what is wrong with it.

    With --html the page for screens; of a folder that is no evidence there is none.
    """
    if arguments.html:
        say(str(_build_page(arguments.run, arguments.output)))
        return ExitCode.CERTIFIED
    try:
        say(str(_build(arguments.run, arguments.output)))
    except SignedReportError:
        raise
    except RecordError as error:
        from reports.incomplete import build_incomplete  # draws in the PDF library, slow to load

        pdf = build_incomplete(arguments.run, str(error), arguments.output)
        tell(f"certify: no report: {error}")
        tell("certify: this says what is wrong with the folder; it is not evidence")
        say(str(pdf))
        return ExitCode.FAILED
    return ExitCode.CERTIFIED


def verify(arguments: argparse.Namespace) -> int:
    """Prove that a run folder or a PDF is what was written; one line per problem."""
    from reports.verify import examine_pdf, examine_run  # draws in the PDF library

    if arguments.what.is_dir():
        found = examine_run(arguments.what)
        problems, checked = _judged_again(arguments.what, list(found.problems), found.checked)
    else:
        found = examine_pdf(arguments.what, arguments.run, trust=arguments.trust)
        problems, checked = list(found.problems), found.checked
    if arguments.json:
        say_json(
            {
                "intact": not problems,
                "problems": problems,
                "checked": checked,
                "not_checked": found.not_checked,
            }
        )
        return ExitCode.FAILED if problems else ExitCode.CERTIFIED
    for problem in problems:
        say(problem)
    if not problems:
        say(f"{arguments.what}: intact")
    for line in checked:
        say(f"  checked: {line}")
    for line in found.not_checked:
        say(f"  not checked: {line}")
    return ExitCode.FAILED if problems else ExitCode.CERTIFIED


def _judged_again(
    folder: Path, problems: list[str], checked: list[str]
) -> tuple[list[str], list[str]]:
    """Judge sound evidence once more: the verdict must be what the evidence says."""
    if problems:
        return problems, checked
    again = judge_folder(folder)
    if again != load(folder / "verdict.json", JudgementRecord):
        return [f"verdict.json: not what this version makes of it: {again.sentence}"], checked
    return problems, [*checked, "the evidence was judged again, with the same verdict"]


def _write_both(folder: Path) -> tuple[Path, Path]:
    from reports.build import REPORT, keep_signed, write_report  # draws in the PDF library
    from reports.screen.page import PAGE, write_page

    keep_signed(folder / REPORT)
    run = load_sealed(folder)
    return write_report(run, folder / REPORT), write_page(run, folder / PAGE)


def _build(folder: Path, output: Path | None) -> Path:
    from reports.build import build_report  # draws in the PDF library, slow to load

    return build_report(folder, output)


def _build_page(folder: Path, output: Path | None) -> Path:
    from reports.screen.page import build_page  # measures text with the PDF library

    return build_page(folder, output)


def _short(path: Path) -> str:
    """Return the path as `latest` names it, relative to here, where that is the same file."""
    latest = path.parent.parent / "latest" / path.name
    if latest.exists() and latest.resolve() == path.resolve():
        path = latest
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
