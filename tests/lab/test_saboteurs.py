"""The suite's own test with real guests: defects of three families, and the control beside them.

The whole matrix takes too long for a test; `certify saboteurs matrix` runs it.
"""

import json

import pytest

DEFECTS = {
    "dropped-write": "B0: Data read is the data written",
    "one-leg-written": "B0: Arrays compared sector by sector",
    "error-at-failover": "E1k: I/O errors at the application",
}


@pytest.fixture(scope="module")
def matrix(cli, need_uml, tmp_path_factory):
    """The matrix of three cheap saboteurs; the exit status and what was written."""
    folder = tmp_path_factory.mktemp("saboteurs")
    done = cli(
        *("saboteurs", "matrix", "--kernel", "uml", "--dir", str(folder)),
        *("--only", *DEFECTS),
        timeout_s=600,
    )
    assert (folder / "matrix.json").exists(), done.stdout + done.stderr[-3000:]
    return done, json.loads((folder / "matrix.json").read_text())


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_is_found_by_the_check_that_was_meant(matrix, name):
    """FAIL alone is not enough."""
    _, seen = matrix
    (result,) = [one for one in seen["results"] if one["saboteur"] == name]

    assert result["outcome"] == "found", result
    assert DEFECTS[name] in result["caught_by"]


def test_the_matrix_says_that_all_were_found(matrix):
    """Its exit status is for CI."""
    done, seen = matrix

    assert done.returncode == 0
    assert (seen["found"], seen["defects"]) == (3, 3)


def test_commands_pass_the_control_unchanged(cli, need_uml):
    """Without a defect nothing is wrong: no I/O error, no wrong data, redundancy as before."""
    done = cli(
        *("run", "--destroy", "--kernel", "uml", "--target", "saboteur:control"),
        *("--no-conformance", "--runs", str(cli.runs), "-k", "E1k"),
        timeout_s=600,
    )
    verdict = json.loads((cli.latest / "verdict.json").read_text())
    (judged,) = [one for one in verdict["scenarios"] if one["id"] == "E1k"]

    failed = [one for one in judged["checks"] if one["verdict"] == "FAIL"]
    stalls = [one for one in failed if one["name"].startswith("Longest stall")]
    assert [one for one in failed if one not in stalls] == [], done.stderr[-3000:]
    assert judged["io_errors"] == judged["mismatches"] == 0
    assert judged["sectors_verified"] > 0
