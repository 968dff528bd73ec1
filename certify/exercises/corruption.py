"""A8: the comparison of the arrays, and a scrub where there is one, find a corrupted sector."""

from certify.compare import comparable_units, compare_legs
from certify.exercise import ExerciseKind, Stage
from certify.exercises.in_fault import InFault
from certify.lab import Lab

NAME = "corruption"
SCRUB = f"{NAME}: scrub of the system under test"
CORRUPT_LBA = 4099
"""In the middle of a block of 4 KiB, and not at the beginning of anything."""


def find_corruption(stage: Stage) -> None:
    """Compare the legs of the corrupted unit; then ask the system under test to do so too."""
    unit = corrupt_unit(stage.lab)
    seen = compare_legs(unit, comparable_units(stage.lab)[unit])
    stage.report(
        NAME,
        expected=f"the arrays differ, first at LBA {CORRUPT_LBA}",
        observed=seen.detail,
        good=seen.first_difference_lba == CORRUPT_LBA,
    )
    array = stage.lab.array[0]
    if array.scrub is None:
        return
    done = stage.shells(array.reach).run(
        array.scrub.argv, timeout_s=array.scrub.timeout_s, check=False
    )
    observed = f"exit status {done.exit_status}: {' '.join((done.stdout + done.stderr).split())}"
    expected = "the scrub says that the copies differ"
    stage.report(SCRUB, expected=expected, observed=observed[:200], good=done.exit_status != 0)


def corrupt_unit(lab: Lab) -> str:
    """Return the unit that is corrupted: one that nothing writes to meanwhile; "" if none is."""
    return next((unit.name for unit in lab.logical_unit if unit.purpose == "conformance"), "")


def _lacks(lab: Lab) -> str:
    if corrupt_unit(lab) in comparable_units(lab):
        return ""
    return (
        'no unit with purpose = "conformance" has two legs with inspect_wwid: the arrays cannot be '
        "compared past the system under test"
    )


CORRUPTION_FOUND = ExerciseKind(
    name=NAME,
    make=lambda stage: InFault(name=NAME, stage=stage, after_s=0.5, act=find_corruption),
    lacks=_lacks,
)
