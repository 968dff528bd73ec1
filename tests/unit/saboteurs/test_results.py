"""What a sealed run says of a saboteur, the matrix, and the suite's own figure."""

import dataclasses

import msgspec
import pytest

from certify.cli import main
from certify.credibility import credibility_of, published, write
from certify.saboteurs import campaign
from certify.saboteurs.catalogue import SABOTEURS, saboteur_named
from certify.saboteurs.result import (
    CleanRuns,
    Outcome,
    Result,
    clean_runs_of,
    matrix_of,
    result_of,
    without_run,
)
from certify.saboteurs.saboteur import CONFORMANCE, Catch, Saboteur, flawless
from certify.scenarios import MODULES
from reports.record import Acceptance as AcceptanceRecord
from reports.record import (
    AssertionRecord,
    Check,
    ConformanceRecord,
    Credibility,
    JudgementRecord,
    LabRecord,
    RecordError,
    RunRecord,
    ScenarioJudgement,
    SystemUnderTest,
    Tool,
    Verdict,
    credibility_sentence,
)

STALL = "Longest stall after the fault"
SLOW = Saboteur(
    name="slow",
    family="stall",
    what="It is slow.",
    scenarios=("E1k",),
    caught_by=(Catch(where="E1k", check="^Longest stall"),),
)
CONTROL = Saboteur(name="control", family="none", what="Nothing.")


def filled(kind, **values):
    """Return a record with *values*, and something empty of the right type elsewhere."""
    empty = {str: "", int: 0, float: 0.0, bool: False}
    for field in msgspec.structs.fields(kind):
        if field.required and field.name not in values:
            plain = getattr(field.type, "__origin__", field.type)
            values[field.name] = plain() if plain in (list, dict) else empty.get(plain)
    return kind(**values)


def run_record(commit="c0ffee", target="saboteur:slow"):
    return filled(
        RunRecord,
        run_id="slow",
        tool=Tool(version="1", commit=commit, modified=False),
        lab=filled(LabRecord, kernel="uml", target=target),
        system_under_test=filled(SystemUnderTest),
        acceptance=filled(AcceptanceRecord),
    )


def scenario(verdict, *failed, repeat=1, name="E1k"):
    checks = [Check(name=one, expected="", observed="", verdict=Verdict.FAIL) for one in failed]
    return filled(
        ScenarioJudgement, id=name, repeat=repeat, verdict=verdict, reason="", checks=checks
    )


def judgement(verdict, *scenarios, failed_assertions=0):
    return filled(
        JudgementRecord,
        verdict=verdict,
        scenarios=list(scenarios),
        conformance_failed=failed_assertions,
        exit_code=0,
    )


def conformance(*failed):
    return ConformanceRecord(
        schema=1,
        assertions=[
            filled(AssertionRecord, family=family, name=name, verdict=Verdict.FAIL)
            for family, name in failed
        ],
    )


def outcome(saboteur, judged, assertions=None):
    return result_of(
        saboteur, run_record(), judged, assertions or conformance(), took_s=1.0
    ).outcome


def test_a_defect_is_found_by_the_check_that_was_meant():
    judged = judgement(Verdict.FAIL, scenario(Verdict.FAIL, STALL, "Redundancy at the end"))

    result = result_of(SLOW, run_record(), judged, conformance(), took_s=1.0)

    assert result.outcome is Outcome.FOUND
    assert result.caught_by == [f"E1k: {STALL}"]
    assert result.also_failed == ["E1k: Redundancy at the end"]


def test_failing_by_another_check_only_is_the_wrong_reason():
    judged = judgement(Verdict.FAIL, scenario(Verdict.FAIL, "I/O errors at the application"))

    assert outcome(SLOW, judged) is Outcome.WRONG_REASON


def test_the_same_check_of_another_scenario_is_the_wrong_reason():
    judged = judgement(Verdict.FAIL, scenario(Verdict.FAIL, STALL, name="P1"))

    assert outcome(SLOW, judged) is Outcome.WRONG_REASON


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.PASS, Outcome.MISSED),
        (Verdict.INCONCLUSIVE, Outcome.INCONCLUSIVE),
        (Verdict.NOT_RUN, Outcome.NOT_RUN),
    ],
)
def test_what_did_not_fail_is_not_found(verdict, expected):
    assert outcome(SLOW, judgement(verdict, scenario(verdict))) is expected


def test_an_assertion_is_matched_with_its_family():
    one = Saboteur(
        name="x", family="x", what="", caught_by=(Catch(where=CONFORMANCE, check="^VPD: serial"),)
    )
    judged = judgement(Verdict.FAIL)

    assert outcome(one, judged, conformance(("VPD", "serial number"))) is Outcome.FOUND
    assert outcome(one, judged, conformance(("Bounds", "serial"))) is Outcome.WRONG_REASON


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.PASS, Outcome.CLEAN),
        (Verdict.FAIL, Outcome.FALSE_ALARM),
        (Verdict.INCONCLUSIVE, Outcome.INCONCLUSIVE),
    ],
)
def test_the_control_must_pass(verdict, expected):
    assert outcome(CONTROL, judgement(verdict, scenario(verdict))) is expected


def result(name, outcome, *, family="data", commit="c0ffee", caught_by=()):
    return Result(
        saboteur=name,
        family=family,
        what="",
        outcome=outcome,
        run=name,
        version="1",
        commit=commit,
        kernel="uml",
        caught_by=list(caught_by),
    )


def test_the_matrix_counts_what_was_found_and_by_which_check():
    seen = matrix_of(
        [
            result("control", Outcome.CLEAN, family="none"),
            result("a", Outcome.FOUND, caught_by=["B0: x"]),
            result("b", Outcome.WRONG_REASON),
            result("c", Outcome.FOUND, caught_by=["B0: x", "B0: y"]),
        ]
    )

    assert (seen.defects, seen.found, seen.control) == (3, 2, Outcome.CLEAN)
    assert seen.checks == {"B0: x": ["a", "c"], "B0: y": ["c"]}


def test_each_repeat_of_a_clean_run_counts():
    judged = judgement(
        Verdict.FAIL,
        scenario(Verdict.PASS, repeat=1),
        scenario(Verdict.PASS, repeat=1, name="A1"),
        scenario(Verdict.PASS, repeat=2),
        scenario(Verdict.FAIL, repeat=2, name="A1"),
        scenario(Verdict.INCONCLUSIVE, repeat=3),
        scenario(Verdict.NOT_RUN, repeat=4),
    )

    assert clean_runs_of(judged) == CleanRuns(clean=1, false_alarms=1, inconclusive=1)


def test_a_failed_assertion_is_a_false_alarm():
    judged = judgement(Verdict.FAIL, scenario(Verdict.PASS), failed_assertions=1)

    assert clean_runs_of(judged) == CleanRuns(false_alarms=1)


def figure(results, clean=None, runs=None):
    return credibility_of(
        matrix_of(results),
        clean or CleanRuns(clean=30),
        runs or [run_record()],
        measured_utc="2026-01-01T00:00:00Z",
    )


def test_the_figure_counts_the_control_among_the_good_runs(tmp_path):
    seen = figure([result("control", Outcome.CLEAN, family="none"), result("a", Outcome.FOUND)])

    assert (seen.defects_found, seen.defects, seen.clean_runs, seen.false_alarms) == (1, 1, 31, 0)
    assert credibility_sentence(seen) == (
        "1 of 1 planted defects found, 0 false alarms in 31 runs of a good system"
    )
    write(seen, tmp_path / "credibility.json")
    assert published(tmp_path / "credibility.json", "1") == seen
    assert published(tmp_path / "credibility.json", "2") is None


def test_a_figure_that_was_not_measured_is_told_as_such(tmp_path):
    assert published(tmp_path / "none.json") is None
    assert credibility_sentence(None) == "not measured for this version"


@pytest.mark.parametrize(
    ("results", "clean", "match"),
    [
        ([result("a", Outcome.FOUND)], CleanRuns(clean=3), "the control is not run"),
        ([result("control", Outcome.CLEAN, family="none")], CleanRuns(), "no clean run"),
        (
            [
                result("control", Outcome.CLEAN, family="none"),
                result("a", Outcome.FOUND, commit="other"),
            ],
            CleanRuns(clean=3),
            "one commit are expected, found those of 1 c0ffee, 1 other",
        ),
    ],
)
def test_results_that_do_not_belong_together_make_no_figure(results, clean, match):
    with pytest.raises(RecordError, match=match):
        figure(results, clean)


def test_a_published_figure_is_a_record():
    (sample,) = [figure([result("control", Outcome.FALSE_ALARM, family="none")])]

    assert isinstance(sample, Credibility)
    assert (sample.false_alarms, sample.defects) == (1, 0)


def test_the_catalogue_is_as_large_as_promised_and_covers_every_family():
    families = {one.family for one in SABOTEURS.values() if not one.control}

    assert len(SABOTEURS) - 1 >= 22
    assert families >= {
        *("data", "mirror", "ordering", "reservations", "identity"),
        *("sense data", "stall", "redundancy", "honesty"),
    }


@pytest.mark.parametrize("saboteur", SABOTEURS.values(), ids=lambda one: one.name)
def test_a_saboteur_has_a_defect_and_scenarios_that_are_there(saboteur):
    flawed = saboteur.defect is not flawless or saboteur.around.flaky or saboteur.around.detached

    assert bool(flawed) is not saboteur.control
    assert all(one in MODULES for one in saboteur.scenarios)
    assert all(one.where in (*saboteur.scenarios, CONFORMANCE) for one in saboteur.caught_by)


def test_an_unknown_name_is_told_with_those_there_are():
    with pytest.raises(KeyError, match=r"no saboteur 'x'.*stall-40s"):
        saboteur_named("x")


def test_the_smallest_run_is_asked_for(tmp_path):
    argv = campaign.run_argv(SABOTEURS["stall-3s"], tmp_path / "runs" / "stall-3s", "uml")

    assert "--no-conformance" in argv
    assert argv[argv.index("--target") + 1] == "saboteur:stall-3s"
    assert argv[argv.index("--profile") + 1] == "quick"
    assert argv[-1] == "certify/scenarios/engine_kill.py"


def test_conformance_alone_selects_no_scenario(tmp_path):
    argv = campaign.run_argv(SABOTEURS["serial-differs"], tmp_path / "x", None)

    assert "--no-conformance" not in argv
    assert argv[-2:] == ["-k", campaign.NOTHING]


@pytest.fixture
def started(monkeypatch, tmp_path):
    """A campaign whose runs are only counted; each comes to no verdict."""
    runs = []
    monkeypatch.setattr(
        campaign, "run_certify", lambda argv, folder: runs.append(folder.name) or "ended"
    )
    made = campaign.Campaign(folder=tmp_path, kernel="uml", jobs=2, commit="c0ffee")
    return made, runs


def test_a_run_without_a_verdict_is_not_found_and_is_tried_again(started):
    made, runs = started

    for _ in range(2):
        (only,) = made.run([SLOW], lambda _: None)

    assert only.outcome is Outcome.NOT_RUN
    assert "run.json" in only.sentence
    assert runs == ["slow", "slow"]


@pytest.mark.parametrize(
    ("outcome", "commit", "again"),
    [
        (Outcome.FOUND, "c0ffee", False),
        (Outcome.MISSED, "c0ffee", True),
        (Outcome.FOUND, "b", True),
    ],
)
def test_what_was_found_by_this_commit_is_kept(started, outcome, commit, again):
    made, runs = started
    path = made.folder / campaign.RESULTS / "slow.json"
    path.parent.mkdir()
    path.write_bytes(msgspec.json.encode(result("slow", outcome, commit=commit)))

    made.run([SLOW], lambda _: None)

    assert bool(runs) is again


def test_a_matrix_of_some_takes_in_what_is_known_of_the_others(started, capsys):
    made, _ = started
    folder = made.folder / campaign.RESULTS
    folder.mkdir()
    for name in ("stall-3s", "ghost-write"):
        (folder / f"{name}.json").write_bytes(msgspec.json.encode(result(name, Outcome.FOUND)))
    words = ["saboteurs", "matrix", "--dir", str(made.folder), "--keep", "--only", "ghost-write"]

    assert main(words) == 0

    seen = msgspec.json.decode((made.folder / "matrix.json").read_bytes())
    assert [one["saboteur"] for one in seen["results"]] == ["ghost-write", "stall-3s"]
    assert "2 of 2 defects found; the control: not run" in capsys.readouterr().out


def test_a_damaged_result_is_an_error_that_names_the_file(tmp_path):
    (tmp_path / "x.json").write_text("{")

    with pytest.raises(RecordError, match=r"x\.json: not a saboteur's result"):
        campaign.read_result(tmp_path / "x.json")


def test_no_verdict_names_why():
    assert without_run(SLOW, "the guest died", took_s=1.0).sentence == "the guest died"


@pytest.fixture
def cleaned(monkeypatch, tmp_path):
    """A campaign whose second run is cut short; every other one passes."""

    def run_certify(argv, folder):
        folder.mkdir(parents=True)
        if folder.name != "clean-002":
            (folder / "verdict.json").touch()

    judged = judgement(Verdict.PASS, scenario(Verdict.PASS))
    monkeypatch.setattr(campaign, "run_certify", run_certify)
    monkeypatch.setattr(campaign, "read_run", lambda _: (run_record(), judged, conformance()))
    return campaign.Campaign(folder=tmp_path, kernel="uml", jobs=1, commit="c0ffee")


def test_a_clean_run_that_was_cut_short_counts_as_nothing(cleaned):
    told = []

    runs = campaign.run_clean(cleaned, 3, told.append)

    assert [counted.clean for _, counted in runs] == [1, 1, 1]
    assert [line.split(":")[0] for line in told] == [f"clean-00{n}" for n in (1, 2, 3, 4)]
    assert "no verdict" in told[1]


def test_clean_runs_of_another_commit_are_refused(cleaned):
    other = dataclasses.replace(cleaned, commit="another")

    with pytest.raises(RecordError, match="--keep"):
        campaign.run_clean(other, 1, lambda _: None)
