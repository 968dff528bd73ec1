"""Health is the sum of looks at paths, maps, engines and arrays, one line per problem."""

import msgspec
import pytest

from certify import health, preflight
from certify.devices import resolve
from certify.host_settings import MISSING, settings_of, versions_of
from certify.lab import Host, LabError
from certify.scsi import Completion, decode_sense
from fault_injectors import Completed, FaultError

ATTENTION = bytes.fromhex("70 00 06 00 00 00 00 0a 00 00 00 00 29 00 00 00 00 00")
NOT_READY = bytes.fromhex("70 00 02 00 00 00 00 0a 00 00 00 00 04 0c 00 00 00 00")


class Commands:
    """A shell on which some commands fail, and whose sysfs holds array disks."""

    reach = "local"

    def __init__(self, failing=(), states=None):
        self.failing = failing
        self.states = {"5:0:1:0": "running"} if states is None else states

    def run(self, argv, *, timeout_s, check=True):
        if " ".join(argv) in self.failing:
            raise FaultError(f"{' '.join(argv)}: exit status 1: dead")
        return Completed(argv=tuple(argv), exit_status=0, stdout="multipath-tools v9.9", stderr="")

    def glob(self, pattern):
        return [pattern.replace("*", hctl) for hctl in self.states]

    def read_text(self, path):
        return self.states[path.split("/")[4]] + "\n"


class Target:
    """Answers TEST UNIT READY from a list, and page 83h of one number."""

    def __init__(self, *ready, page=b""):
        self.ready, self.page = list(ready), page

    def execute(self, _descriptor, cdb, *, data_in_length=0, timeout_ms=0, **_):
        if cdb[0] == 0x12:
            return self.done(cdb, data=self.page)
        return self.done(cdb, sense=self.ready.pop(0) if self.ready else b"")

    def done(self, cdb, *, sense=b"", data=b""):
        return Completion(
            cdb=cdb,
            status=2 if sense else 0,
            sense=decode_sense(sense),
            residual=0,
            host_status=0,
            driver_status=0,
            data=data,
            sent_ns=0,
            done_ns=0,
        )


@pytest.fixture
def path(lab, sysfs, monkeypatch, tmp_path):
    device = resolve(lab, sysfs=sysfs).paths[0]
    (tmp_path / "sg0").touch()
    monkeypatch.setattr("certify.devices.DEV", tmp_path)
    return device


def page_of(sysfs, hctl="2:0:1:0"):
    return (sysfs / "class/scsi_device" / hctl / "device/vpd_pg83").read_bytes()


def test_a_ready_path_with_the_right_name_is_healthy(path, sysfs, monkeypatch):
    monkeypatch.setattr(health.sg, "execute", Target(page=page_of(sysfs)).execute)

    assert health.path_problems(path) == []


def test_unit_attentions_are_read_away(path, sysfs, monkeypatch):
    target = Target(ATTENTION, ATTENTION, page=page_of(sysfs))
    monkeypatch.setattr(health.sg, "execute", target.execute)

    assert health.path_problems(path) == []


def test_endless_unit_attentions_are_a_problem(path, monkeypatch):
    monkeypatch.setattr(health.sg, "execute", Target(*[ATTENTION] * 99).execute)

    (problem,) = health.path_problems(path)
    assert "TEST UNIT READY: expected GOOD, seen CHECK CONDITION, UNIT ATTENTION 29/00" in problem


def test_a_path_that_is_not_ready_says_why(path, monkeypatch):
    monkeypatch.setattr(health.sg, "execute", Target(NOT_READY).execute)

    (problem,) = health.path_problems(path)
    assert problem.startswith("path path1, lu0 (")
    assert "NOT READY 04/0c (target port in unavailable state)" in problem


def test_a_target_that_says_another_name_than_sysfs_is_a_problem(path, sysfs, monkeypatch):
    monkeypatch.setattr(health.sg, "execute", Target(page=page_of(sysfs, "5:0:1:0")).execute)

    (problem,) = health.path_problems(path)
    assert f"expected {path.unit.wwid}, it says 36000000000e500000000000000000004" in problem


def test_a_page_that_makes_no_sense_is_a_problem(path, monkeypatch):
    monkeypatch.setattr(health.sg, "execute", Target(page=b"\0\x83\0\x20").execute)

    (problem,) = health.path_problems(path)
    assert "VPD page 83h: expected at least 36 bytes, got 4" in problem


def test_a_path_whose_node_is_gone_is_a_problem(path, tmp_path):
    (tmp_path / "sg0").unlink()

    (problem,) = health.path_problems(path)
    assert problem.endswith("No such file or directory")


def test_paths_must_be_usable_in_multipathd(lab, sysfs, daemon):
    daemon.states["sdc"] = ("failed", "faulty")
    del daemon.states["sda"]

    problems = health.map_problems(resolve(lab, sysfs=sysfs), daemon)

    assert problems == [
        "path path1, lu0 (sda): expected active and ready in multipathd, seen not in the map",
        "path path2, lu0 (sdc): expected active and ready in multipathd, seen failed, faulty",
    ]


def test_a_path_that_the_lab_file_does_not_name_is_a_problem(lab, sysfs, daemon):
    lab = msgspec.structs.replace(lab, path=lab.path[:1])

    problems = health.map_problems(resolve(lab, sysfs=sysfs), daemon)

    assert problems == [
        "map mpatha: sdc is a path that the lab file does not name",
        "map mpathb: sdd is a path that the lab file does not name",
    ]


def test_a_silent_multipathd_is_one_problem(lab, sysfs, daemon):
    daemon.error = LabError("multipathd: no answer")

    assert health.map_problems(resolve(lab, sysfs=sysfs), daemon) == ["multipathd: no answer"]


@pytest.fixture
def two_machines(lab, daemon, monkeypatch):
    """A lab with a second host that is a machine of its own; its multipathd is *daemon*."""
    asked = []
    monkeypatch.setattr(health, "daemon_for", lambda shell: asked.append(shell) or daemon)
    host2 = Host(name="host2", reach="ssh:root@host2")
    load = msgspec.structs.replace(lab.logical_unit[0], also_on=["host2"])
    units = [load, *lab.logical_unit[1:]]
    return msgspec.structs.replace(lab, host=[*lab.host, host2], logical_unit=units), asked


def test_paths_of_a_host_of_its_own_machine_must_be_usable_too(two_machines, daemon):
    lab, asked = two_machines
    assert health.other_map_problems(lab, lambda reach: reach) == []
    assert asked == ["ssh:root@host2"]

    daemon.states["sdc"] = ("failed", "faulty")
    daemon.states["sdb"] = ("failed", "faulty")  # of another unit

    assert health.other_map_problems(lab, lambda reach: reach) == [
        "host host2, lu0 (sdc): expected active and ready in multipathd, seen failed, faulty"
    ]


def test_a_host_of_its_own_machine_without_the_map_is_a_problem(two_machines):
    lab, _ = two_machines
    lab.logical_unit[0] = msgspec.structs.replace(lab.logical_unit[0], wwid="3600f")

    assert health.other_map_problems(lab, lambda reach: reach) == [
        "host host2, lu0: expected a map of 3600f with paths, seen none"
    ]


def test_a_host_of_its_own_machine_that_does_not_answer_is_a_problem(two_machines, daemon):
    lab, _ = two_machines
    daemon.error = LabError("multipathd: no answer")

    assert health.other_map_problems(lab, lambda reach: reach) == [
        "host host2, lu0: multipathd: no answer"
    ]


@pytest.mark.parametrize(
    ("failing", "problem"),
    [
        ("ready 2", "engine engine2 is not ready: ready 2: exit status 1: dead"),
        ("redundant", "not redundant: redundant: exit status 1: dead"),
    ],
)
def test_the_system_under_test_is_asked(lab, sysfs, daemon, failing, problem):
    problems = health.problems_of(lab, shells=lambda _: Commands((failing,)), daemon=daemon)

    assert problem in problems


@pytest.mark.parametrize(
    ("states", "problem"),
    [
        ({"5:0:1:0": "offline"}, "array A, 5:0:1:0: expected running, seen offline"),
        ({}, "array A: no SCSI device matches 5:0:1:*"),
    ],
)
def test_back_paths_must_run(lab, states, problem):
    assert health.array_problems(lab, lambda _: Commands(states=states)) == [problem]


def test_equal_timers_are_told_once(lab, sysfs, daemon):
    (sysfs / "class/scsi_device/3:0:1:1/device/timeout").write_text("60\n")

    settings = settings_of(resolve(lab, sysfs=sysfs), daemon, sysfs=sysfs)

    timers = [(one.value, one.source) for one in settings if one.name == "SCSI command timer"]
    assert [value for value, _ in timers] == ["30", "60"]
    assert timers[0][1].endswith("2:0:1:0/device/timeout and 2 more")
    assert ("multipath polling_interval", "1") in [(one.name, one.value) for one in settings]
    maps = {one.name: one.value for one in settings if one.name.startswith("multipath map")}
    assert maps["multipath map of lu0"].startswith("1 path group(s), round-robin 0; queueing on")


def test_what_this_host_does_not_have_is_told_as_missing(lab, sysfs, daemon, tmp_path):
    devices = resolve(lab, sysfs=sysfs)
    daemon.error = LabError("multipathd: no answer")
    (tmp_path / "sys/kernel").mkdir(parents=True)
    (tmp_path / "sys/kernel/hung_task_timeout_secs").write_text("120\n")

    settings = settings_of(devices, daemon, sysfs=sysfs, proc=tmp_path)

    missing = {one.name for one in settings if one.value == MISSING}
    found = {one.name: one.value for one in settings if one.value != MISSING}
    assert {"multipathd", "iSCSI recovery_tmo", "FC dev_loss_tmo", "kernel dirty_ratio"} <= missing
    assert found.pop("Bound: a path that does not answer").startswith("no bound")
    assert set(found) == {
        "SCSI command timer", "SCSI error handler timer", "kernel hung_task_timeout_secs"
    }  # fmt: skip
    assert not missing & set(found)


def test_versions_name_tools_and_kernel():
    versions = versions_of(Commands())

    assert versions["multipath-tools"] == "9.9"
    assert versions["kernel"].startswith("Linux ")
    assert "sg_inq" not in versions


def test_the_record_of_a_lab_says_what_was_found(lab, sysfs):
    record = preflight.lab_record(lab, resolve(lab, sysfs=sysfs))

    assert [(one.name, one.purpose, one.size_bytes) for one in record.logical_units] == [
        ("lu0", "load", 64 << 20),
        ("lu1", "conformance", 64 << 20),
        ("control", "control", 64 << 20),
    ]
    path = record.paths[0]
    assert (path.name, path.hctl, path.device) == ("path1", "2:0:1:0", "/dev/sda")


def test_the_system_under_test_is_named_by_the_lab_file_where_it_is_silent(lab, sysfs, tmp_path):
    system = preflight.system_under_test(lab, resolve(lab, sysfs=tmp_path / "sys"))

    assert (system.name, system.note, system.vendor) == ("Pair", "two engines", "")
