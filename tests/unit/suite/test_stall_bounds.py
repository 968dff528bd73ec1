"""What a host's timers imply, and what they leave open."""

import pytest

from certify.stall_bounds import bounds_of
from reports.record import Setting

PATH = "Bound: a path that does not answer"
SESSION = "Bound: an iSCSI session that is silent"
ENGINE = "Bound: an engine's process that hangs (TCMU)"
NO_PATH = "Bound: all paths gone"
BACK = "Bound: a path that is back"


def bounds(**values: str) -> dict[str, str]:
    """Return the bounds by name; settings are given with _ for blanks."""
    settings = [
        Setting(name=name.replace("__", " "), value=value, source="s")
        for name, value in values.items()
    ]
    return {one.name: one.value for one in bounds_of(settings)}


def test_command_timer_and_eh_deadline_bound_a_silent_path() -> None:
    seen = bounds(SCSI__command__timer="30", SCSI__eh_deadline="10")

    assert seen[PATH] == "40 s: command timer 30 s, eh_deadline 10 s"


def test_without_eh_deadline_there_is_no_bound() -> None:
    assert bounds(SCSI__command__timer="30", SCSI__eh_deadline="off")[PATH].startswith("no bound")


def test_the_slowest_device_counts() -> None:
    settings = [
        Setting(name="SCSI command timer", value=value, source="s") for value in ("30", "60", "5")
    ] + [Setting(name="SCSI eh_deadline", value="5", source="s")]

    (bound,) = bounds_of(settings)

    assert bound.value.startswith("65 s")


def test_iscsi_needs_all_of_its_timers() -> None:
    some = {"iSCSI__recovery_tmo": "120"}
    more = {"iSCSI__NOP-Out__interval": "5", "iSCSI__NOP-Out__timeout": "5"}

    assert SESSION not in bounds(**some)
    assert bounds(**some, **more)[SESSION].startswith("130 s")


@pytest.mark.parametrize(
    ("seconds", "told"), [("1", "1 s: cmd_time_out"), ("0", "no bound by TCMU")]
)
def test_tcmu_answers_for_an_engine_that_hangs(seconds: str, told: str) -> None:
    assert bounds(TCMU__cmd_time_out=seconds)[ENGINE].startswith(told)


@pytest.mark.parametrize(
    ("retries", "told"),
    [("queue", "no bound"), ("fail", "0 s"), ("12", "60 s"), ("not set", None)],
)
def test_no_path_retry_says_what_becomes_of_io(retries: str, told: str | None) -> None:
    seen = bounds(multipath__no_path_retry=retries, multipath__polling_interval="5")

    assert (NO_PATH in seen) is (told is not None)
    assert seen.get(NO_PATH, "").startswith(told or "")


@pytest.mark.parametrize(
    ("queueing", "told"), [("on", "no bound"), ("off", "0 s"), ("12 chk", None)]
)
def test_what_a_map_does_now_counts_where_nothing_is_set(queueing: str, told: str | None) -> None:
    seen = bounds(multipath__map__of__lu0=f"1 path group(s); queueing {queueing}; failback -")

    assert (NO_PATH in seen) is (told is not None)
    assert seen.get(NO_PATH, "").startswith(told or "")


def test_path_that_is_back_waits_for_the_checker() -> None:
    seen = bounds(multipath__max_polling_interval="20", multipath__checker_timeout="2")

    assert seen[BACK].startswith("used again within 22 s")


def test_nothing_known_implies_nothing() -> None:
    assert bounds(multipathd="not on this host") == {}
