"""Commands exit with one meaning per code, results are on stdout, and words are for strangers."""

from pathlib import Path

import msgspec
import pytest

import certify
from certify.cli import main
from certify.commands import run as run_command
from certify.seal import seal
from certify.verdict import ExitCode
from reports.folder import build_manifest
from reports.record import JudgementRecord, RunRecord, encode, load

from .conftest import make_clean_story, make_plan
from .test_plugin import LAB
from .test_seal import record


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    path = tmp_path / "lab.toml"
    path.write_text(LAB, encoding="utf-8")
    return path


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    folder = tmp_path / "runs" / "run-1"
    folder.mkdir(parents=True)
    record(folder, [make_clean_story(make_plan())])
    seal(folder)
    return folder


def test_version_is_that_of_the_distribution() -> None:
    text = (Path(certify.__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")

    assert f'version = "{certify.__version__}"' in text


def test_list_names_every_scenario(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == ExitCode.CERTIFIED

    out, err = capsys.readouterr()
    assert "E1k  Engine 1 killed and returned" in out
    assert err == ""


def test_list_is_there_for_machines(capsys: pytest.CaptureFixture[str]) -> None:
    main(["list", "--json"])

    told = msgspec.json.decode(capsys.readouterr().out)
    assert told["profiles"]["quick"][0] == told["scenarios"][0]["id"] == "B0"


def test_plan_is_the_protocol_with_its_hash(lab: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--lab", str(lab)]) == ExitCode.CERTIFIED

    out = capsys.readouterr().out
    assert "NOT RUN: the lab file names 1 paths; two are needed" in out
    assert out.splitlines()[-1].startswith("SHA-256 of the protocol: ")


def test_missing_lab_file_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--lab", "nowhere.toml"]) == ExitCode.USAGE
    assert "nowhere.toml: cannot be read" in capsys.readouterr().err


def test_run_on_a_lab_of_your_own_needs_destroy(
    lab: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["run", "--lab", str(lab), "--run-dir", str(tmp_path / "run")])

    assert status == ExitCode.USAGE
    assert "a run overwrites lu0 (3600)" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_evidence_is_not_overwritten(
    lab: Path, sealed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["run", "--lab", str(lab), "--destroy", "--run-dir", str(sealed)])

    assert status == ExitCode.USAGE
    assert "evidence is not overwritten" in capsys.readouterr().err


def test_unknown_argument_is_a_usage_error() -> None:
    with pytest.raises(SystemExit) as exited:
        main(["list", "--nonsense"])

    assert exited.value.code == ExitCode.USAGE


def test_virtual_run_is_judged_by_what_the_guest_wrote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fake_guest(arguments, argv, writes):
        record(Path(argv[argv.index("--run-dir") + 1]), [make_clean_story(make_plan())])
        return 0

    monkeypatch.setattr(run_command, "in_lab", fake_guest)

    status = main(["run", "--runs", str(tmp_path / "runs")])

    out = capsys.readouterr().out
    assert status == ExitCode.CERTIFIED
    assert out.startswith("CERTIFIED, Platinum: The longest stall was 1.00 ms")
    assert "latest/report.pdf" in out
    assert (tmp_path / "runs" / "latest" / "junit.xml").is_file()


def test_lab_that_did_not_boot_is_exit_4(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_command, "in_lab", lambda arguments, argv, writes: 4)

    assert main(["run", "--runs", str(tmp_path)]) == ExitCode.LAB
    assert capsys.readouterr().out == ""


def test_pytest_arguments_go_into_the_guest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr(
        run_command, "in_lab", lambda arguments, argv, writes: given.extend(argv) or 4
    )

    main(["run", "--runs", str(tmp_path), "--repeat", "3", "-k", "E1k or P1", "-x"])

    assert given[-3:] == ["-k", "E1k or P1", "-x"]
    assert given[given.index("--repeat") + 1] == "3"


@pytest.mark.parametrize("words", [["--hours", "4"], ["--profile", "soak", "--hours", "0"]])
def test_hours_are_for_a_soak_only(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "--runs", str(tmp_path), *words]) == ExitCode.USAGE
    assert "expected more than 0 and the profile soak" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_length_of_a_soak_goes_into_the_guest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []
    monkeypatch.setattr(
        run_command, "in_lab", lambda arguments, argv, writes: given.extend(argv) or 4
    )

    words = ["--profile", "soak", "--hours", "4", "--max-minutes", "300"]
    main(["run", "--runs", str(tmp_path), *words])

    assert given[given.index("--hours") + 1] == "4.0"
    assert given[given.index("--max-minutes") + 1] == "300.0"


def test_node_ids_mean_the_same_in_any_folder() -> None:
    node = "certify/scenarios/engine_kill.py::E1k[1]"

    assert run_command._rooted(node) == f"{run_command.ROOT}/{node}"
    assert run_command._rooted("E1k or P1") == "E1k or P1"


def test_usage_error_in_the_guest_is_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run_command, "in_lab", lambda arguments, argv, **rest: 2)

    assert main(["run", "--runs", str(tmp_path), "--nonsense"]) == ExitCode.USAGE
    assert capsys.readouterr().out == ""


def test_sealed_run_is_intact_and_a_changed_one_is_not(
    sealed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(sealed)]) == ExitCode.CERTIFIED
    (sealed / "events.jsonl").write_bytes(b"")

    assert main(["verify", str(sealed)]) == ExitCode.FAILED
    assert "events.jsonl" in capsys.readouterr().out


def test_verdict_that_the_evidence_does_not_give_is_found(
    sealed: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody rewrites the verdict and makes a manifest that fits."""
    said = load(sealed / "verdict.json", JudgementRecord)
    forged = msgspec.structs.replace(said, sentence="All is well.", certified=not said.certified)
    (sealed / "verdict.json").write_bytes(encode(forged))
    run = load(sealed / "run.json", RunRecord)
    (sealed / "manifest.json").write_bytes(encode(build_manifest(sealed, run.run_id)))
    (sealed / "report.pdf").unlink(missing_ok=True)

    assert main(["verify", str(sealed)]) == ExitCode.FAILED
    assert "verdict.json" in capsys.readouterr().out


def test_report_of_a_folder_that_is_no_run_is_a_usage_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", str(tmp_path)]) == ExitCode.USAGE
    assert "no run folder: it has none of run.json" in capsys.readouterr().err


def test_heal_after_a_virtual_lab_has_ended_says_so(
    sealed: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("certify.commands.mend.session.standing_lab_is_up", lambda: False)

    status = main(["heal", "--run-dir", str(sealed), "--runs", str(sealed.parent)])

    assert status == ExitCode.CERTIFIED
    assert "nothing of it is left to heal" in capsys.readouterr().out


def test_lab_that_did_not_boot_leaves_latest_as_it_was(
    sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`latest` must not point to a folder in which nothing ever happened."""
    runs = sealed.parent
    (runs / "latest").symlink_to(sealed.name)
    monkeypatch.setattr(run_command, "in_lab", lambda arguments, argv, writes: 4)

    assert main(["run", "--runs", str(runs)]) == ExitCode.LAB
    assert (runs / "latest").resolve() == sealed.resolve()
    assert sorted(path.name for path in runs.iterdir()) == ["latest", sealed.name]


def test_lab_file_of_another_schema_is_refused(
    lab: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.write_text(LAB.replace("schema = 1", "schema = 2"), encoding="utf-8")

    assert main(["check", "--lab", str(lab)]) == ExitCode.USAGE
    assert "schema: expected 1, seen 2" in capsys.readouterr().err
