"""What the router promises, with real kernel objects: faults by signals, sysfs and device-mapper.

One guest serves all cases. Each one puts everything back and ends with full redundancy, reached by
no operator's word, and with both arrays equal sector by sector.
"""

import json
import sys

import pytest

CASE_TIMEOUT_S = 110
LINK_TIMEOUT_S = 1.5
"""The router's link_timeout_ms; what waits for it is decided and served again within 2.5 s more."""


@pytest.fixture(scope="module")
def run_case(standing_lab):
    """Runs a case in the guest, checks what all have in common, and gives what it saw."""

    def run(name):
        argv = [sys.executable, "-m", "tests.lab.in_guest", name]
        done = standing_lab("lab", "shell", *argv, timeout_s=CASE_TIMEOUT_S)
        assert done.stdout.startswith("{"), done.stdout[-2000:] + done.stderr[-2000:]
        seen = json.loads(done.stdout)
        assert "broke_off" not in seen, seen["broke_off"] + seen.get("logs", "")
        assert seen["redundant"], seen
        assert set(seen["different"].values()) == {""}, seen["different"]
        assert seen["crashed"] == []
        assert seen.get("violations", []) == []
        return seen

    return run


def test_a_hung_engine_leaves_no_ghost(run_case):
    """It is killed for its hang, and what it had is never seen again once it was written anew."""
    seen = run_case("ghost_hang")

    assert seen["killed"]
    assert seen["failed"] > 0


def test_an_engine_that_wakes_up_late_leaves_no_ghost(run_case):
    """No supervisor kills it: the arrays' reservation and its own look at the link stop it."""
    seen = run_case("ghost_late")

    assert seen["fenced"]
    assert seen["woke"], "it was to live on, and come back as a newcomer"
    assert not any("04/01" in error for error in seen["errors"]), "a host would stay on its path"


def test_a_write_that_an_array_kept_does_not_outlive_newer_ones(run_case):
    """The array executes it seconds later, on a leg that is then copied to."""
    seen = run_case("ghost_in_array")

    assert seen["dropped"]


def test_nothing_is_replayed_from_a_ring(run_case):
    """Commands that nobody had taken fail, and the next engine does not find them."""
    seen = run_case("ring_entries")

    assert seen["all_failed"]
    assert seen["replayed"] == []


def test_both_engines_killed_under_load(run_case):
    """The host waits for them; what was acknowledged is there; they need no operator."""
    seen = run_case("both_killed")

    assert seen["errors"] == []
    assert seen["asked"]


@pytest.mark.parametrize("victim", ["leader", "follower"])
def test_an_engine_dies_while_a_leg_is_copied_to(run_case, victim):
    """The other one goes on, and the host's I/O with it."""
    seen = run_case(f"resync_loses_{victim}")

    assert 0 < seen["copied_regions"] < seen["regions"]
    assert seen["errors"] == []


def test_an_old_array_alone_is_refused(run_case):
    """Started with the older array only, no engine serves, and both say why."""
    seen = run_case("wrong_order")

    assert seen["refused"] == ["cannot read the keys of B"] * 2
    assert seen["ready"] == [False, False]
    assert seen["from_b"], "with both arrays there, the newer one is the one to start from"
    assert seen["resynced"]


def test_the_link_is_cut_while_both_engines_live(run_case):
    """Exactly one goes on, with the cable out as with a cable that swallows everything."""
    seen = run_case("link_cut")

    assert seen["both_alone"] == 0
    assert seen["samples"] > 20
    assert seen["cut"]["stayed"]
    assert seen["silent"]["stayed"]
    assert seen["errors"] == []
    for way, limit_s in (("cut", LINK_TIMEOUT_S), ("silent", LINK_TIMEOUT_S + 2.5)):
        outage = seen[way]
        assert outage["slowest_s"] < limit_s + outage["stood_s"], outage
        assert outage["back_slowest_s"] < LINK_TIMEOUT_S + 2.5 + outage["back_stood_s"], outage
    assert "silent for" not in seen["cut"]["log"], "who sees the end does not wait for more"
    assert "silent for" in seen["silent"]["log"]


def test_the_router_can_be_removed(run_case):
    """Each array alone is what hosts wrote, and after the release it can be written to."""
    seen = run_case("release")

    conflict = {"A": "Invalid exchange", "B": "Invalid exchange"}  # EBADE: reservation conflict
    assert seen["before"] == conflict
    assert seen["ended"] == [True, True]
    assert seen["still"] == conflict
    assert seen["too_early"] == [1, 1], "an engine that serves is not released from under hosts"
    assert [status for status, _ in seen["release"]] == [0, 0], seen["release"]
    assert seen["same"] == {"A": True, "B": True}
    assert seen["after"] == {"A": "good", "B": "good"}
    assert seen["router_reads_it"]


def test_reservations_hold_on_both_paths(run_case):
    """One host, two nexuses: what one has reserved the other one meets, whichever engine dies."""
    seen = run_case("reservations")
    good = dict.fromkeys(("read1", "write1", "read2", "write2"), "good")
    conflict = "status 0x18"

    assert "Persist Through Power Loss Capable(PTPL_C): 1" in seen["capabilities"]
    assert seen["register"] == [0, 0]
    assert seen["keys"] == ["0xa1", "0xa2"]
    assert seen["full_status"].count("not reservation holder") == 2
    assert (seen["reserve"], seen["reserve_again"]) == (0, 24)  # SG_LIB_CAT_RES_CONFLICT
    assert seen["held"] == {**good, "write2": conflict}
    assert seen["preempt"] == 0
    assert "Registrations preempted" in seen["attention"][1]
    assert seen["preempted"] == {**good, "write1": conflict, "keys": ["0xa2"]}
    assert seen["holder_dead"] == {"read1": "good", "write1": conflict}
    assert seen["holder_back"] == {**good, "write1": conflict}
    assert seen["clear"] == 0
    assert seen["cleared"] == {**good, "keys": []}


def test_commands_do_the_same_on_both_arrays(run_case):
    """Those that write without being a WRITE, and access states as both paths tell them."""
    seen = run_case("commands")
    miscompare = 14  # SG_LIB_CAT_MISCOMPARE
    refused = "NOT READY 04/0b (target port in standby state)"
    both, second = ["active/optimized"] * 2, ["active/optimized", "standby"]

    for name in ("Compare and write", "Write same(16)", "Unmap", "Persistent reserve out, clear"):
        assert name in seen["opcodes"]
    assert "Command is supported" in seen["opcode"]
    assert seen["states"] == [both, second, second, both]
    assert seen["in_standby"] == {
        "read1": "good",
        "write1": "good",
        "read2": refused,
        "write2": refused,
    }
    assert set(seen["in_active"].values()) == {"good"}
    failed = {name: end for name, end in seen["tools"].items() if end}
    assert failed == {"miscompare": miscompare, "verify_other": miscompare}
    first = "other" + ",old" * 7
    pages = [first, "old", "other", "zero", "old", "old", "zero", "zero"]
    assert seen["pages"] == {"A": pages, "B": pages}


def test_a_reset_under_load_harms_nothing(run_case):
    """What it aborts is not acknowledged, and the path goes on."""
    seen = run_case("reset")

    assert [status for status, _ in seen["reset"]] == [0, 0]


def test_the_lab_files_own_commands_do_what_they_say(run_case):
    """Scenarios use them to break and to mend: said no, then yes, then no again."""
    seen = run_case("operator")

    assert seen["engine"] == seen["link"] == seen["unit"] == [False, True, False]
    assert seen["hidden"] > 0
    assert seen["taken"] == [], "multipath took disks of the second host"
