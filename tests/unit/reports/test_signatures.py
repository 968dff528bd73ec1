"""Signatures: a changed byte anywhere is found, and nobody signs what is not whole."""

import datetime
import logging
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from certify.cli import main
from certify.verdict import ExitCode
from reports.build import build_report
from reports.verify import examine_pdf

ROLES = ("Test engineer", "Customer acceptance")
Captured = pytest.CaptureFixture[str]


def make_identity(folder: Path, name: str) -> tuple[Path, Path]:
    """Write a key and a certificate that vouches for itself; return both."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    usage = dict.fromkeys(
        (
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "key_cert_sign",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(
            x509.KeyUsage(digital_signature=True, content_commitment=True, **usage), critical=True
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.key").write_bytes(private)
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
    return folder / f"{name}.key", folder / f"{name}.pem"


@pytest.fixture(scope="module")
def folder(samples: dict[str, Path]) -> Path:
    return samples["healthy"]


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Path, Path]]:
    keys = tmp_path_factory.mktemp("keys")
    return [make_identity(keys, name) for name in ("ada", "bob")]


def _arguments(pdf: Path, identity: tuple[Path, Path], role: str) -> list[str]:
    key, certificate = identity
    return ["sign", str(pdf), "--as", role, "--key", str(key), "--cert", str(certificate)]


@pytest.fixture(scope="module")
def unsigned(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_report(folder, tmp_path_factory.mktemp("unsigned") / "report.pdf")


@pytest.fixture(scope="module")
def signed(
    unsigned: Path, identities: list[tuple[Path, Path]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    pdf = tmp_path_factory.mktemp("signed") / "report.pdf"
    pdf.write_bytes(unsigned.read_bytes())
    for role, identity in zip(ROLES, identities, strict=True):
        assert main(_arguments(pdf, identity, role)) == ExitCode.CERTIFIED
    return pdf


def test_signed_and_countersigned_is_whole_and_says_by_whom(signed: Path) -> None:
    found = examine_pdf(signed)
    assert found.problems == []
    told = [text for text in found.checked if text.startswith("signature as")]
    assert [text.split(" by ")[0] for text in told] == [f"signature as {role}" for role in ROLES]
    assert sum("no authority vouches" in text for text in found.not_checked) == len(ROLES)


def test_an_authority_vouches_for_its_own_only(
    signed: Path, identities: list[tuple[Path, Path]]
) -> None:
    found = examine_pdf(signed, trust=[identities[0][1]])
    unknown = [text for text in found.not_checked if "no authority vouches" in text]
    assert len(unknown) == 1
    assert "bob" in unknown[0]


def test_the_report_is_the_front_of_the_signed_file(signed: Path, unsigned: Path) -> None:
    assert signed.read_bytes().startswith(unsigned.read_bytes())


@pytest.mark.parametrize("place", [0.01, 0.3, 0.6, 0.9, 0.97, 0.995])
def test_a_changed_byte_anywhere_is_found(signed: Path, tmp_path: Path, place: float) -> None:
    data = bytearray(signed.read_bytes())
    data[int(len(data) * place)] ^= 1
    pdf = tmp_path / "changed.pdf"
    pdf.write_bytes(data)
    assert examine_pdf(pdf).problems != []


def test_bytes_after_the_last_signature_are_found(signed: Path, tmp_path: Path) -> None:
    pdf = tmp_path / "longer.pdf"
    pdf.write_bytes(signed.read_bytes() + b"\n% more")
    assert any("goes on after the last signature" in text for text in examine_pdf(pdf).problems)


def test_bytes_after_an_unsigned_report_are_found(unsigned: Path, tmp_path: Path) -> None:
    pdf = tmp_path / "longer.pdf"
    pdf.write_bytes(unsigned.read_bytes() + b"\n% more")
    assert examine_pdf(pdf).problems == ["7 bytes follow the report, and no signature"]


def test_an_unsigned_report_says_that_nobody_stands_for_it(unsigned: Path) -> None:
    assert any("nobody has signed" in text for text in examine_pdf(unsigned).not_checked)


def test_a_changed_report_is_not_signed(
    unsigned: Path, identities: list[tuple[Path, Path]], tmp_path: Path, capsys: Captured
) -> None:
    pdf = tmp_path / "changed.pdf"
    pdf.write_bytes(unsigned.read_bytes() + b"x")
    assert main(_arguments(pdf, identities[0], ROLES[0])) == ExitCode.USAGE
    assert "is not signed: 1 bytes follow" in capsys.readouterr().err
    assert pdf.read_bytes() == unsigned.read_bytes() + b"x"


@pytest.mark.parametrize(
    ("role", "key", "message"),
    [
        ("Test engineer", None, "has signed this report already"),
        ("Nobody", None, "no line for “Nobody”; expected one of: Test engineer"),
        ("Vendor representative", "none.key", "none.key: missing"),
        ("Vendor representative", __file__, "cannot be read as key and certificate"),
    ],
)
def test_what_cannot_be_signed_is_said_and_nothing_changes(
    signed: Path,
    identities: list[tuple[Path, Path]],
    tmp_path: Path,
    capsys: Captured,
    role: str,
    key: str | None,
    message: str,
) -> None:
    pdf = tmp_path / "report.pdf"
    pdf.write_bytes(signed.read_bytes())
    own, certificate = identities[1]
    identity = (Path(key) if key else own, certificate)
    assert main(_arguments(pdf, identity, role)) == ExitCode.USAGE
    assert message in capsys.readouterr().err
    assert pdf.read_bytes() == signed.read_bytes()


def test_the_library_says_nothing_of_its_own(
    signed: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        examine_pdf(signed)
    assert [record for record in caplog.records if record.name.startswith("pyhanko")] == []
