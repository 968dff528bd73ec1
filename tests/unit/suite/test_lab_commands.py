"""The commands of the examples of a real lab do what means must promise, against fake gear."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from certify.lab import Lab
from certify.lab_names import load_lab_to_run
from fault_injectors import Journal, LocalShell

EXAMPLES = Path(__file__).resolve().parents[3] / "docs/examples"
COMMANDS = EXAMPLES / "lab"
INSTALLED = "/opt/zerostall-lab"


def _load(path, name):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


rehearsal = _load(COMMANDS / "rehearse_means.py", "rehearse_means")


@pytest.fixture
def gear(tmp_path, monkeypatch):
    """Put fake gear on PATH; return the folder of its state."""
    state, programs = tmp_path / "gear", tmp_path / "bin"
    state.mkdir()
    programs.mkdir()
    monkeypatch.setenv("FAKE_GEAR", str(state))
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    _load(Path(__file__).with_name("fake_gear.py"), "fake_gear").install(programs)
    return state


def run(name, *words):
    """Run a command of the examples; return its exit status."""
    return subprocess.run([COMMANDS / name, *words], check=False, timeout=60).returncode


def lab_of(name, gear):
    """Return an example whose commands are here, at a path without spaces as theirs is."""
    text = msgspec.json.encode(load_lab_to_run(EXAMPLES / name)).decode()
    installed = gear.with_name("installed")
    installed.symlink_to(COMMANDS)
    return msgspec.json.decode(text.replace(INSTALLED, str(installed)), type=Lab)


def promised():
    """Yield what the examples have commands for: the file and the scenario."""
    for name in ("lab-fc.toml", "lab-iscsi.toml"):
        for scenario, _ in rehearsal.steps(load_lab_to_run(EXAMPLES / name), ""):
            yield pytest.param(name, scenario, id=f"{name}-{scenario}")


@pytest.mark.parametrize(("name", "scenario"), list(promised()))
def test_what_an_example_breaks_is_seen_broken_and_seen_whole_again(gear, tmp_path, name, scenario):
    ((_, step),) = rehearsal.steps(lab_of(name, gear), scenario)
    journal = Journal(tmp_path / "journal.jsonl")

    assert rehearsal.rehearse(step, journal) == []
    assert not [one.name for one in gear.glob("shut-*")]
    assert not [one.name for one in gear.glob("off-*")]
    assert not [one.name for one in gear.glob("nft-*/*")]


@pytest.mark.parametrize("port", ["fos:admin@fcsw-a:7", "nxos:admin@mds-a:fc1/7"])
def test_a_fibre_channel_port_is_cut_when_it_is_off_and_its_counters_are_still(gear, port):
    assert (run("fc-port.sh", "is_cut", port), run("fc-port.sh", "is_whole", port)) == (1, 0)

    assert run("fc-port.sh", "cut", port) == 0

    assert (run("fc-port.sh", "is_cut", port), run("fc-port.sh", "is_whole", port)) == (0, 1)
    assert run("fc-port.sh", "mend", port) == 0
    assert run("fc-port.sh", "is_cut", port) == 1


def test_a_port_that_is_off_and_passes_frames_is_not_cut(gear):
    (gear / "leak").touch()
    assert run("fc-port.sh", "cut", "fos:admin@fcsw-a:7") == 0
    assert run("fc-port.sh", "is_cut", "fos:admin@fcsw-a:7") == 1


def test_one_port_of_two_is_neither_cut_nor_whole(gear):
    ports = ("fos:admin@fcsw-a:7", "fos:admin@fcsw-b:7")
    assert run("fc-port.sh", "cut", ports[1]) == 0
    assert (run("fc-port.sh", "is_cut", *ports), run("fc-port.sh", "is_whole", *ports)) == (1, 1)


@pytest.mark.parametrize("word", ["fos:fcsw-a", "telnet:admin@fcsw-a:7", "7"])
def test_a_slip_in_a_port_cuts_nothing(gear, word):
    assert run("fc-port.sh", "cut", "fos:admin@fcsw-a:7", word) == 2
    assert not (gear / "asked").exists()


def test_a_bridge_whose_hardware_forwards_is_not_taken_for_cut(gear, monkeypatch):
    monkeypatch.setenv("FAKE_DEAF", "1")
    assert run("net-port.sh", "cut", "root@net-a:swp1") == 0
    assert run("net-port.sh", "is_cut", "root@net-a:swp1") == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("fc-port.sh", ("is_cut", "fos:admin@fcsw-gone:7")),
        ("net-port.sh", ("is_cut", "root@net-gone:swp1")),
        ("net-port.sh", ("is_cut", "root@net-a:nosuchport")),
        ("power.sh", ("is_off", "bmc-gone")),
        ("power.sh", ("explode", "bmc-dr1")),
    ],
)
def test_no_answer_is_neither_yes_nor_no(gear, name, words):
    for gone in ("off-fcsw-gone", "off-net-gone", "mute-gone"):
        (gear / gone).touch()
    assert run(name, *words) == 2


def test_machines_are_off_when_all_of_them_are(gear):
    assert run("power.sh", "cut", "bmc-dr1") == 0
    assert run("power.sh", "is_off", "bmc-dr1", "bmc-dr2") == 1
    assert run("power.sh", "cut", "bmc-dr1", "bmc-dr2") == 0
    assert run("power.sh", "is_off", "bmc-dr1", "bmc-dr2") == 0
    assert run("power.sh", "on", "bmc-dr1", "bmc-dr2") == 0
    assert run("power.sh", "is_on", "bmc-dr1", "bmc-dr2") == 0


def test_until_ends_when_the_answer_is_yes_or_time_is_over():
    assert run("until.sh", "5", "true") == 0
    assert run("until.sh", "0", "false") == 1
    assert run("until.sh", "5") == 2


def test_the_rehearsal_names_what_is_not_as_it_should_be(gear, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_DEAF", "1")
    monkeypatch.setattr(rehearsal, "MEND_S", 1.0)
    ((_, step),) = rehearsal.steps(lab_of("lab-iscsi.toml", gear), "P2")
    shell = LocalShell()

    def at_once(injection, *, timeout_s=0.0):
        return step.fault.probe(shell)

    monkeypatch.setattr(rehearsal.Injection, "prove", at_once)

    (wrong,) = rehearsal.rehearse(step, Journal(tmp_path / "journal.jsonl"))
    assert wrong.startswith("broken, and not seen to be: ")


def write_tree(root, files):
    """Write files of a fake /sys."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(f"{text}\n")


def test_paths_are_printed_for_targets_and_not_for_switches(tmp_path):
    write_tree(
        tmp_path,
        {
            "class/fc_remote_ports/rport-7:0-3/scsi_target_id": "1",
            "class/fc_remote_ports/rport-7:0-3/port_name": "0x5001234000000021",
            "class/fc_remote_ports/rport-7:0-0/scsi_target_id": "-1",
            "class/fc_remote_ports/rport-7:0-0/port_name": "0x2000000000000000",
            "class/fc_host/host7/port_name": "0x1000000000000007",
            "class/iscsi_session/session4/targetname": "iqn.2026-11.org.example:dr1",
            "class/iscsi_session/session4/initiatorname": "iqn.2026-11.org.example:host1",
            "class/iscsi_session/session4/device/target6:0:0/uevent": "",
            "class/iscsi_connection/connection4:0/persistent_address": "192.168.10.1",
        },
    )
    environment = {**os.environ, "SYSFS": str(tmp_path)}

    said = subprocess.run(
        [COMMANDS / "paths.sh"], env=environment, capture_output=True, text=True, check=True
    ).stdout

    assert said == (
        '[[path]]\nname = "host7-target1"\nengine = "?"  # whose port is 0x5001234000000021? '
        'seen by 0x1000000000000007\nhctl = "7:0:1:*"\n\n'
        '[[path]]\nname = "session4"\nengine = "?"  # whose port is iqn.2026-11.org.example:dr1 '
        'at 192.168.10.1? seen by iqn.2026-11.org.example:host1\nhctl = "6:0:0:*"\n\n'
    )
