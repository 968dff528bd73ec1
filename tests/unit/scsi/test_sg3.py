"""The witness's answers are kept whole, its exit status has a name, its bytes are compared."""

import hashlib
import subprocess

import pytest

from certify import cdb, sg3
from certify.lab import LabError
from fault_injectors import Completed, FaultError


class Tools:
    """Plays sg3-utils: program name to exit status and output."""

    reach = "local"

    def __init__(self, answers):
        self.answers = answers

    def run(self, argv, *, timeout_s, check=True):
        if argv[0] not in self.answers:
            raise FaultError(f"{argv[0]}: cannot be started")
        status, stdout = self.answers[argv[0]]
        return Completed(argv=tuple(argv), exit_status=status, stdout=stdout, stderr="words\n")


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (0, "good"),
        (9, "invalid operation code"),
        (33, "time out"),
        (66, "system error 16"),
        (150, "not listed in sg3_utils(8)"),
    ],
)
def test_exit_status_in_words(status, name):
    assert sg3.exit_name(status) == name


def test_a_transcript_keeps_everything_and_tells_what_failed():
    answers = dict.fromkeys(("sg_turs", "sg_inq", "sg_vpd", "sg_readcap"), (0, "fine\n"))
    transcript = sg3.witness("/dev/sg7", shell=Tools(answers | {"sg_turs": (2, "")}))

    assert [one.argv for one in transcript.failed] == [("sg_turs", "--verbose", "/dev/sg7")]
    assert "$ sg_inq /dev/sg7\nfine\nwords\nexit status 0 (good)\n" in transcript.text
    assert "exit status 2 (not ready)" in transcript.text


def test_a_page_is_read_as_bytes():
    page = sg3.vpd_page("/dev/sg7", 0x83, shell=Tools({"sg_vpd": (0, "00 83 00 02\nab cd\n")}))

    assert page == bytes.fromhex("00830002abcd")


def test_a_page_that_cannot_be_read_is_an_error_with_its_words():
    with pytest.raises(LabError, match="--page=0x83 /dev/sg7: not ready: words"):
        sg3.vpd_page("/dev/sg7", 0x83, shell=Tools({"sg_vpd": (2, "")}))


def test_a_missing_tool_is_an_error_of_the_lab():
    with pytest.raises(LabError, match="sg_inq: cannot be started"):
        sg3.run(("sg_inq", "/dev/sg7"), shell=Tools({}))


def test_the_line_that_repeats_a_command():
    read = sg3.repeat_line("/dev/sg7", cdb.read(1, 1), data_in_length=512)
    write = sg3.repeat_line("/dev/sg7", cdb.write(1, 1), data_out=bytes(512))

    assert read == "sg_raw --request=512 /dev/sg7 28 00 00 00 00 01 00 00 01 00"
    assert write == (
        "head -c 512 /dev/zero | sg_raw --send=512 /dev/sg7 2a 00 00 00 00 01 00 00 01 00"
    )


@pytest.mark.parametrize(
    "data",
    [b"\x01\x80", bytes(100), b"\xa5" * 4096, b"block 1".ljust(32) * 16 + bytes(512)],
    ids=["few", "zeros", "alike", "packed"],
)
def test_a_shell_prints_the_very_data(data):
    ended = subprocess.run(["sh", "-c", sg3.data_source(data)], capture_output=True, check=True)

    assert ended.stdout == data


def test_data_that_does_not_fit_on_a_line_is_a_file_to_be_named():
    noise = b"".join(hashlib.sha256(bytes((i,))).digest() for i in range(200))

    assert sg3.repeat_line("/dev/sg7", bytes(6), data_out=noise) == (
        "sg_raw --send=6400 --infile=DATA /dev/sg7 00 00 00 00 00 00"
    )
