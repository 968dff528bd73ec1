"""What the system under test says of its redundancy at one moment of a fault."""

from certify.exercise import ExerciseKind, Stage
from certify.exercises.in_fault import InFault
from certify.lab import Lab

TAKEN_BACK = "array refused"
COPYING = "copy under way"


def says_redundant(stage: Stage) -> bool:
    """Ask the lab file's command; raise FaultError where it cannot be started."""
    command = stage.lab.redundancy
    if command is None:
        return False
    asked = stage.shells(stage.lab.host[0].reach).run(
        command.argv, timeout_s=command.timeout_s, check=False
    )
    return asked.exit_status == 0


def _words(redundant: bool) -> str:
    return f"it says that it is {'redundant' if redundant else 'not redundant'}"


def is_refused(stage: Stage) -> None:
    """Report whether what is not the array was taken for it."""
    redundant = says_redundant(stage)
    expected = "no redundancy is claimed while something else is in the array's place"
    stage.report(TAKEN_BACK, expected=expected, observed=_words(redundant), good=not redundant)


def is_copying(stage: Stage) -> None:
    """Report whether the copy is under way; if it has ended, the scenario shows nothing."""
    redundant = says_redundant(stage)
    expected = "not redundant yet when the next fault comes"
    good = None if redundant else True
    stage.report(COPYING, expected=expected, observed=_words(redundant), good=good)


def _lacks(lab: Lab) -> str:
    return "" if lab.redundancy else "the lab file has no command redundancy"


NOT_TAKEN_BACK = ExerciseKind(
    name=TAKEN_BACK,
    make=lambda stage: InFault(name=TAKEN_BACK, stage=stage, after_s=4.5, act=is_refused),
    lacks=_lacks,
)
STILL_COPYING = ExerciseKind(
    name=COPYING,
    make=lambda stage: InFault(name=COPYING, stage=stage, after_s=5.1, act=is_copying),
    lacks=_lacks,
)
