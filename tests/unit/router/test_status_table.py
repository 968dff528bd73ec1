"""People see the state of every unit, and when a copy will be over."""

from reference_router.progress import Progress
from reference_router.status_table import table_of

MIB = 1 << 20
SECOND_NS = 1_000_000_000


def unit(**changes):
    """Return the status of a unit that serves."""
    values = {
        "phase": "serving",
        "why": "",
        "epoch": 7,
        "members": [1, 2],
        "legs": {"A": "in_sync", "B": "in_sync"},
        "leases": 3,
        "leases_of_peer": 12,
        "repairs_left": 0,
        "resync_left_regions": None,
        "resynced_regions": None,
        "regions": 64,
        "region_bytes": MIB,
    }
    return {**values, **changes}


def status(**units):
    """Return the status of an engine."""
    return {
        "engine": "engine1",
        "pid": 970,
        "ready": True,
        "role": "leader",
        "peer_joined": True,
        "exported": True,
        "tombstone": False,
        "units": units,
    }


def copying(left):
    """Return the status of a unit with a leg that lacks `left` regions."""
    return unit(
        legs={"A": "in_sync", "B": "resyncing"},
        resync_left_regions=left,
        resynced_regions=64 - left,
    )


def test_units_are_a_table():
    text = table_of(status(lu0=unit(), lu1=unit(legs={"A": "in_sync", "B": "detached"})))

    assert text.splitlines() == [
        "engine engine1: pid 970, ready, role leader, peer joined, exported",
        "unit  phase    epoch  members  A        B         leases  of peer  repairs  resync",
        "lu0   serving  7      1+2      in_sync  in_sync   3       12       0        -",
        "lu1   serving  7      1+2      in_sync  detached  3       12       0        -",
    ]


def test_a_unit_that_was_not_started_says_why():
    waiting = unit(phase="starting", why="cannot read the keys of B", members=[])

    last = table_of(status(lu0=waiting)).splitlines()[-1]

    assert last == "lu0: not started: cannot read the keys of B"


def test_a_dead_engine_has_no_table():
    dead = {**status(), "pid": None, "ready": False, "tombstone": True}

    assert table_of(dead) == (
        "engine engine1: not running, not ready, exported, a tombstone answers"
    )


def test_a_resync_says_how_much_is_left_and_for_how_long():
    progress = Progress()
    first, second = copying(48), copying(32)
    progress.add({"lu0": first}, 0)
    progress.add({"lu0": second}, 4 * SECOND_NS)

    line = table_of(status(lu0=second)).splitlines()[2]

    assert line.endswith("50 %, 32 MiB left, 8 s at 4.0 MiB/s")
    assert first["resync_left_s"] is None


def test_rate_is_of_the_last_half_minute():
    progress = Progress()
    for second, left in ((0, 60), (10, 20), (41, 18), (50, 16)):
        seen = copying(left)
        progress.add({"lu0": seen}, second * SECOND_NS)

    assert seen["resync_bytes_per_s"] == round(2 * MIB / 9)


def test_another_copy_begins_anew():
    progress = Progress()
    for second, left in ((0, 10), (1, 0), (2, 40)):
        seen = copying(left)
        progress.add({"lu0": seen}, second * SECOND_NS)

    assert seen["resync_left_bytes"] == 40 * MIB
    assert seen["resync_bytes_per_s"] is None


def test_a_unit_without_a_copy_has_nothing_left():
    seen = unit()

    Progress().add({"lu0": seen}, 0)

    assert seen["resync_left_bytes"] is None
