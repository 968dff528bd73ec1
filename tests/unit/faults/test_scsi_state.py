"""Path pull, engine isolation and array offline act on exactly the devices of their subject."""

import pytest

from fault_injectors import ArrayOffline, EngineIsolate, FaultError, PathPull


def state_of(shell, hctl):
    return shell.files[f"/sys/class/scsi_device/{hctl}/device/state"].strip()


@pytest.mark.parametrize("kind", [PathPull, EngineIsolate, ArrayOffline])
def test_only_the_devices_of_the_subject_go_offline(shell, kind):
    fault = kind(subject="path1", hctl=("2:0:1:*",)).prepare(shell)

    fault.apply(shell)

    states = [state_of(shell, hctl) for hctl in ("2:0:1:0", "2:0:1:1", "3:0:1:0")]
    assert states == ["offline", "offline", "running"]
    assert fault.probe(shell).effective


def test_prepare_changes_nothing(shell):
    PathPull(subject="path1", hctl=("2:0:1:*",)).prepare(shell)

    assert shell.calls == []


def test_a_subject_without_devices_is_refused(shell):
    with pytest.raises(FaultError, match=r"path9: no SCSI device matches 9:\*"):
        PathPull(subject="path9", hctl=("9:*",)).prepare(shell)


def test_a_device_that_is_offline_before_the_fault_is_refused(shell):
    shell.files["/sys/class/scsi_device/2:0:1:1/device/state"] = "offline\n"

    with pytest.raises(FaultError, match="2:0:1:1 is offline before the fault; expected running"):
        PathPull(subject="path1", hctl=("2:0:1:*",)).prepare(shell)


def test_one_device_still_running_is_no_proof(shell):
    fault = PathPull(subject="path1", hctl=("2:0:1:*",)).prepare(shell)
    fault.apply(shell)
    shell.files["/sys/class/scsi_device/2:0:1:1/device/state"] = "running\n"

    proof = fault.probe(shell)

    assert not proof.effective
    assert proof.seen == "sysfs: 2:0:1:0 offline, 2:0:1:1 running"


def test_heal_writes_only_to_devices_that_are_not_running(shell):
    fault = PathPull(subject="path1", hctl=("2:0:1:*",)).prepare(shell)

    fault.heal(shell)

    assert shell.calls == []
    assert fault.healed(shell).effective


def test_heal_goes_on_after_a_device_that_will_not(shell):
    fault = PathPull(subject="path1", hctl=("2:0:1:*",)).prepare(shell)
    fault.apply(shell)
    shell.refused.add("/sys/class/scsi_device/2:0:1:0/device/state")

    with pytest.raises(FaultError, match="2:0:1:0"):
        fault.heal(shell)

    assert [state_of(shell, h) for h in ("2:0:1:0", "2:0:1:1")] == ["offline", "running"]
    assert not fault.healed(shell).effective


def test_device_whose_size_was_lost_is_rescanned_until_it_has_one(shell):
    device = "/sys/class/scsi_device/2:0:1:0/device"
    shell.files |= {f"{device}/block/sda/size": "0\n", f"{device}/rescan": ""}
    fault = PathPull(subject="path1", hctl=("2:0:1:*",)).prepare(shell)

    proof = fault.healed(shell)
    assert not proof.effective
    assert proof.seen.endswith("rescanned for size 0: 2:0:1:0")
    assert shell.calls == [f"write '1\\n' {device}/rescan"]
    shell.files[f"{device}/block/sda/size"] = "131072\n"
    assert fault.healed(shell).effective


def test_devices_matched_by_two_globs_are_taken_once(shell):
    fault = ArrayOffline(subject="A", hctl=("2:0:1:*", "2:*")).prepare(shell)

    assert fault.devices == ("2:0:1:0", "2:0:1:1")


def test_an_unprepared_fault_is_not_applied(shell):
    with pytest.raises(FaultError, match="not prepared"):
        PathPull(subject="path1", hctl=("2:0:1:*",)).apply(shell)
