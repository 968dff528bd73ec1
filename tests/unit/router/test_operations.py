"""An operator's wish is refused with reasons, or waited for."""

from pathlib import Path

import pytest

from reference_router import operations
from reference_router.config import load_config
from reference_router.keys import ControlOp, ControlResult, Key, Outcome
from reference_router.operations import OperationError, attach, detach, release

GOOD = ControlResult(outcome=Outcome.GOOD)


@pytest.fixture
def config(tmp_path):
    """Return the example's configuration with sockets that nobody has."""
    text = Path(operations.__file__).with_name("router.example.toml").read_text(encoding="utf-8")
    path = tmp_path / "router.toml"
    path.write_text(text.replace("/run/zerostall", str(tmp_path)), encoding="utf-8")
    return load_config(path)


class Fakes:
    """A supervisor that obeys at the second question, and legs with keys."""

    def __init__(self, monkeypatch, **legs):
        self.legs, self.later = legs, dict(legs)
        self.asked: list[str] = []
        self.keys: dict[str, tuple[int, ...]] = {}
        self.sent: list[tuple[str, ControlOp]] = []
        self.phase = "serving"
        monkeypatch.setattr(operations, "ask", self.ask)
        monkeypatch.setattr(operations, "send", self.send)
        monkeypatch.setattr(operations, "_POLL_S", 0)

    def ask(self, _path, command, **_):
        self.asked.append(command)
        legs = self.later if len(self.asked) > 3 else self.legs
        unit = {"phase": self.phase, "legs": legs}
        return {"engine": "engine1", "pid": None, "units": {"lu0": unit}}

    def send(self, place, op, key=0, other=0):
        self.sent.append((place.array, op))
        if op is ControlOp.CLEAR:
            self.keys[place.array] = ()
        if op is ControlOp.READ_KEYS:
            return ControlResult(outcome=Outcome.GOOD, keys=self.keys.get(place.array, ()))
        return GOOD


def test_detach_waits_until_the_leg_is_free(config, monkeypatch):
    fakes = Fakes(monkeypatch, A="in_sync", B="in_sync")
    fakes.later["B"] = "detached"

    _, text = detach(config, config.engine[0], array="B", unit="", timeout_s=5)

    assert text == "array B detached from lu0: free of keys"
    assert fakes.asked[:2] == ["status", "detach"]
    assert fakes.sent == [("B", ControlOp.READ_KEYS)]


def test_the_last_leg_in_sync_is_not_detached(config, monkeypatch):
    fakes = Fakes(monkeypatch, A="in_sync", B="stale")

    with pytest.raises(OperationError, match="lu0: expected another leg in sync, seen A in_sync"):
        detach(config, config.engine[0], array="A", unit="", timeout_s=5)
    assert fakes.asked == ["status"]


def test_keys_that_stay_are_told(config, monkeypatch):
    fakes = Fakes(monkeypatch, A="in_sync", B="detached")
    fakes.keys["B"] = (0xABC,)

    with pytest.raises(OperationError, match="expected no keys, seen 0x0000000000000abc"):
        detach(config, config.engine[0], array="B", unit="", timeout_s=0)


def test_attach_that_does_not_begin_is_told(config, monkeypatch):
    Fakes(monkeypatch, A="in_sync", B="absent")

    with pytest.raises(OperationError, match=r"expected resyncing or in_sync in time, seen lu0 ab"):
        attach(config.engine[0], array="B", unit="", whole=False, timeout_s=0)


def test_attach_may_wait_for_the_whole_copy(config, monkeypatch):
    fakes = Fakes(monkeypatch, A="in_sync", B="resyncing")
    fakes.later["B"] = "in_sync"

    _, text = attach(config.engine[0], array="B", unit="", whole=True, timeout_s=5)

    assert text == "array B attached: lu0 in_sync"


def test_a_unit_that_is_not_served_is_not_managed(config, monkeypatch):
    Fakes(monkeypatch, A="in_sync", B="in_sync").phase = "starting"

    with pytest.raises(OperationError, match="lu0: expected phase serving, seen starting"):
        attach(config.engine[0], array="B", unit="", whole=False, timeout_s=0)


def key(config, *, clean):
    """Return a key of engine 1."""
    check = config.check_of(config.logical_unit[0])
    return Key(engine=1, check=check, epoch=7, clean=clean).pack()


def test_release_frees_every_leg(config, monkeypatch):
    fakes = Fakes(monkeypatch)
    fakes.keys = {"A": (key(config, clean=True),), "B": (key(config, clean=True),)}

    lines = release(config, config.engine[0], force=False)

    assert [line.partition("): ")[2] for line in lines] == ["free of keys; whole (epoch 7)"] * 2
    assert fakes.keys == {"A": (), "B": ()}


def test_release_changes_nothing_after_an_unclean_end_unless_forced(config, monkeypatch):
    fakes = Fakes(monkeypatch)
    fakes.keys = {"A": (key(config, clean=False),)}

    with pytest.raises(OperationError, match="expected the key of a clean stop"):
        release(config, config.engine[0], force=False)
    assert {op for _, op in fakes.sent} == {ControlOp.READ_KEYS}


def test_release_is_refused_while_an_engine_runs(config, monkeypatch):
    fakes = Fakes(monkeypatch)
    monkeypatch.setattr(operations, "ask", lambda *_, **__: {"pid": 7})

    with pytest.raises(OperationError, match="engine engine1: expected it stopped, seen process 7"):
        release(config, config.engine[0], force=True)
    assert fakes.sent == []
