"""Logs of engines that are other machines are kept with the run, as far as they can be had."""

import msgspec
import pytest

from certify import system_logs
from certify.lab import Command, Engine, Lab
from certify.system_logs import keep_logs
from fault_injectors import Completed, FaultError

LAB = {
    "schema": 1,
    "lab": {"name": "small"},
    "system_under_test": {"name": "Pair"},
    "host": [],
    "logical_unit": [],
    "path": [],
    "engine": [],
}


class Remote:
    """A machine that prints a log, or cannot be reached."""

    def __init__(self, text):
        self.text = text

    def run(self, argv, *, timeout_s, check=True):
        if self.text is None:
            raise FaultError(f"{argv[0]}: no answer in {timeout_s} s")
        return Completed(argv=tuple(argv), exit_status=0, stdout=self.text, stderr="")


@pytest.fixture(autouse=True)
def _no_tools(monkeypatch):
    monkeypatch.setattr(system_logs.shutil, "which", lambda _: None)


CAT_LOG = Command(argv=["cat", "log"])


def lab(*engines, files=()):
    found = msgspec.convert(LAB, Lab)
    return msgspec.structs.replace(found, engine=list(engines), target_logs=list(files))


def engine(name, log=CAT_LOG):
    return Engine(name=name, reach=name, log=log)


def kept(folder):
    return {each.name: each.read_text(encoding="utf-8") for each in folder.iterdir()}


def test_what_each_engine_prints_is_kept_under_its_name(tmp_path):
    machines = {"one": Remote("first\n"), "two": Remote("second\n")}

    keep_logs(lab(engine("one"), engine("two")), tmp_path, shells=machines.__getitem__)

    assert kept(tmp_path) == {"one.log": "first\n", "two.log": "second\n"}


def test_an_engine_that_is_away_does_not_cost_the_logs_of_others(tmp_path):
    machines = {"one": Remote(None), "two": Remote("second\n")}

    keep_logs(lab(engine("one"), engine("two")), tmp_path, shells=machines.__getitem__)

    assert kept(tmp_path) == {"two.log": "second\n"}


def test_a_log_that_is_too_long_is_kept_from_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(system_logs, "LOG_BYTES_MAX", 4)

    keep_logs(lab(engine("one")), tmp_path, shells={"one": Remote("123456")}.__getitem__)

    assert kept(tmp_path) == {"one.log": "3456"}


def test_files_of_this_host_are_copied_and_one_that_is_missing_is_passed_over(tmp_path):
    there = tmp_path / "router.log"
    there.write_text("words\n", encoding="utf-8")
    folder = tmp_path / "logs"

    keep_logs(lab(engine("one", None), files=[str(there), str(tmp_path / "no")]), folder)

    assert kept(folder) == {"router.log": "words\n"}
