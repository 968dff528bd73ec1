"""[acceptance] of a lab file: what is refused and how, and what reaches the run folder."""

from datetime import date
from pathlib import Path

import msgspec
import pytest
from PIL import Image

from certify.acceptance import read_acceptance, record_of
from certify.cli import main
from certify.lab import Acceptance, LabError
from reports.folder import load_sealed
from reports.record import Acceptance as AcceptanceRecord
from tests.unit.reports.sample_course import Variant
from tests.unit.reports.sample_run import write_sample_run

ROOT = Path(__file__).parents[3]
GOOD = """
[acceptance]
customer = "上海某医院"
contract = "ACC-1"
requirements = "HIS, revision C"
signatories = ["Test engineer", { role = "Customer acceptance", name = "李伟" }]
language = "zh"
paper = "Letter"
state = "issued"
revision = "B"
logo = "logo.png"

[[acceptance.revisions]]
number = "A"
date = 2026-11-24
what = "First issue"

[[acceptance.revisions]]
number = "B"
date = 2026-11-25
what = "Customer's name corrected"
"""


@pytest.fixture
def file(tmp_path):
    """Write a lab file in which one text is replaced by another, a logo beside it."""
    Image.new("RGBA", (40, 20), (0, 114, 178, 128)).save(tmp_path / "logo.png")

    def write(old="", new=""):
        assert old in GOOD
        path = tmp_path / "lab.toml"
        path.write_text(GOOD.replace(old, new, 1))
        return path

    return write


def test_what_is_said_reaches_the_record(file, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()

    record = record_of(read_acceptance(file()), folder)

    assert (record.language, record.paper, record.state) == ("zh", "Letter", "issued")
    assert record.signatories == ["Test engineer", "Customer acceptance"]
    assert record.names == {"Customer acceptance": "李伟"}
    assert (record.revision, record.issued_on) == ("B", date(2026, 11, 25))
    assert (folder / record.logo).read_bytes() == (tmp_path / "logo.png").read_bytes()


def test_silence_is_a_draft_in_english_on_a4(tmp_path):
    record = record_of(Acceptance(), tmp_path)

    assert record == AcceptanceRecord()
    assert (record.language, record.paper, record.state) == ("en", "A4", "draft")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('"zh"', '"fr"', "acceptance.language: expected one of en, zh, seen 'fr'"),
        ('"Letter"', '"a4"', "acceptance.paper: expected one of A4, Letter, seen 'a4'"),
        ('"issued"', '"final"', "acceptance.state: expected one of draft, issued, seen 'final'"),
        (
            'revision = "B"',
            "",
            'acceptance.revision: expected a number, for state is "issued", seen none',
        ),
        (
            'revision = "B"',
            'revision = "A"',
            "acceptance.revision: expected the last of acceptance.revisions, 'B', seen 'A'",
        ),
        (
            'number = "B"',
            'number = "A"',
            "acceptance.revisions[1].number: expected different numbers, seen 'A' twice",
        ),
        (
            "date = 2026-11-25",
            "date = 2026-11-23",
            "acceptance.revisions[1].date: expected 2026-11-24 or later, seen 2026-11-23",
        ),
        (
            'what = "First issue"',
            'what = " "',
            "acceptance.revisions[0]: expected a number and what was changed, seen 'A', ' '",
        ),
        (
            '"Test engineer"',
            '"Customer acceptance"',
            "acceptance.signatories: expected different roles, seen 'Customer acceptance' 2 times",
        ),
        (
            '"Test engineer"',
            ", ".join(f'"{role}"' for role in "abcdefghi"),
            "acceptance.signatories: expected at most 9, seen 10",
        ),
        ('"Test engineer"', '""', "acceptance.signatories: expected a role, seen ''"),
        (
            'customer = "上海某医院"',
            "client = 1",
            "acceptance: client: unknown key, expected one of customer, contract, requirements, "
            "signatories, language, paper, state, revision, revisions, logo",
        ),
        ("date = 2026-11-25", 'date = "25.11.2026"', "acceptance: revisions[1].date: Invalid"),
    ],
)
def test_what_is_wrong_is_named(file, old, new, line):
    path = file(old, new)

    with pytest.raises(LabError) as caught:
        read_acceptance(path)

    assert any(one.startswith(f"{path}: {line}") for one in str(caught.value).splitlines())


@pytest.mark.parametrize(
    ("size", "kind", "words"),
    [
        ((20, 20), "GIF", "expected a PNG or JPEG picture"),
        ((2001, 3), "PNG", "expected at most 2000 by 2000 pixels, seen 2001 by 3"),
    ],
)
def test_a_logo_that_cannot_be_shown_is_refused(file, tmp_path, size, kind, words):
    path = file()
    Image.new("RGB", size).save(tmp_path / "logo.png", format=kind)

    with pytest.raises(LabError, match=rf"acceptance\.logo: .*logo\.png: {words}"):
        read_acceptance(path)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"0" * 40, "expected a PNG or JPEG picture"),
        (b"0" * (1 << 20) + b"1", "expected at most 1048576 bytes"),
    ],
)
def test_a_damaged_logo_is_refused(file, tmp_path, data, words):
    path = file()
    (tmp_path / "logo.png").write_bytes(data)

    with pytest.raises(LabError, match=words):
        read_acceptance(path)


def test_a_missing_logo_is_named(file):
    path = file('"logo.png"', '"none.png"')

    with pytest.raises(LabError, match=r"acceptance\.logo: .*none\.png: cannot be read: No such"):
        read_acceptance(path)


def test_an_old_record_is_read_as_a_draft():
    old = b'{"customer": "", "contract": "", "requirements": "", "signatories": ["a"]}'

    assert msgspec.json.decode(old, type=AcceptanceRecord).state == "draft"


def test_issue_changes_the_acceptance_and_nothing_that_was_measured(file, tmp_path, capsys):
    run = write_sample_run(tmp_path / "run", Variant.HEALTHY)
    before = load_sealed(run)

    assert main(["issue", str(run), "--lab", str(file())]) == 0

    after = load_sealed(run)
    assert capsys.readouterr().out.strip() == str(run / "report.pdf")
    assert after.run.acceptance.replaces == before.root
    assert after.run.acceptance.revision == "B"
    kept = {one.path: one.sha256 for one in after.manifest.files}
    changed = {one.path for one in before.manifest.files if kept[one.path] != one.sha256}
    assert changed == {"run.json"}
    assert set(kept) - {one.path for one in before.manifest.files} == {"logo.png"}


@pytest.mark.parametrize("command", ["issue", "report"])
def test_a_signed_report_is_not_replaced(file, tmp_path, capsys, command):
    """Nor is the run changed: the signature says what it was."""
    run = write_sample_run(tmp_path / "run", Variant.HEALTHY)
    signed = b"%PDF-1.7 /ByteRange [0 1 2 3]"
    (run / "report.pdf").write_bytes(signed)
    before = load_sealed(run).root
    words = ["--lab", str(file())] if command == "issue" else []

    assert main([command, str(run), *words]) == 2

    assert "it is signed, and is not replaced" in capsys.readouterr().err
    assert (run / "report.pdf").read_bytes() == signed
    assert load_sealed(run).root == before


REQUIRED = """
[[acceptance.required]]
id = "HIS-4.1"
text = "The loss of one data router does not interrupt the wards."
by = ["E1k", "HA-011"]
"""


def test_the_customers_requirements_reach_the_record(file, tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    path = file()
    path.write_text(path.read_text() + REQUIRED)

    record = record_of(read_acceptance(path), folder)

    assert [(one.id, one.by) for one in record.required] == [("HIS-4.1", ["E1k", "HA-011"])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (REQUIRED.replace('"HIS-4.1"', '" "'), "expected an id and a text"),
        (REQUIRED.replace('["E1k", "HA-011"]', "[]"), "expected scenarios or requirements"),
        (REQUIRED * 2, "'HIS-4.1' 2 times"),
        (REQUIRED.replace("text", "texts"), "texts"),
    ],
)
def test_a_customers_requirement_that_says_nothing_is_refused(file, text, words):
    path = file()
    path.write_text(path.read_text() + text)

    with pytest.raises(LabError, match=words):
        read_acceptance(path)


def test_the_example_of_the_docs_is_right():
    accepted = read_acceptance(ROOT / "docs/examples/acceptance.toml")

    assert (accepted.language, accepted.state, accepted.revision) == ("zh", "issued", "B")
