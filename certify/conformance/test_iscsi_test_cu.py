"""libiscsi's iscsi-test-cu, written by others, on two paths of the unit."""

import shlex
import shutil

import pytest

from certify.conformance.examiner import Examiner, Keep, RecordAll
from certify.conformance.iscsi_test_cu import CLAUSE as CLAUSE
from certify.conformance.iscsi_test_cu import FAMILY as FAMILY
from certify.conformance.iscsi_test_cu import (
    PROGRAM,
    argv_of,
    assertions_of,
    load_waivers,
    parse,
    run,
    transcript,
)
from fault_injectors import LocalShell

pytestmark = pytest.mark.long


def test_libiscsi_passes(two_paths: list[Examiner], record_all: RecordAll, evidence: Keep) -> None:
    """Every test of its family LINUX passes or is waived. Method: two paths, by two engines."""
    devices = [examiner.path.sg for examiner in two_paths]
    if shutil.which(PROGRAM) is None:
        two_paths[0].not_run(
            PROGRAM,
            clause=CLAUSE,
            expected="passed",
            reason=f"{PROGRAM} is not installed (Debian: libiscsi-bin)",
        )
        return
    text = run(devices, LocalShell())
    outcomes = parse(text)
    evidence(PROGRAM, transcript(outcomes))
    if not outcomes:
        pytest.fail(f"{PROGRAM} ran no test:\n{text[-2000:]}")
    path = two_paths[0].path.name
    repeat = shlex.join(argv_of(devices))
    record_all(assertions_of(outcomes, load_waivers(), path=path, repeat=repeat))
