"""The witness as a service: who may ask, what it rules, and what outlives it."""

import contextlib
import select
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
import pytest

from reference_router.config import ConfigError, load_config
from reference_router.link import Link
from reference_router.witness import Service, VoteFile, WitnessError, witness
from reference_router.witness_ledger import Ledger, LedgerError, from_file
from reference_router.witness_messages import (
    WITNESS_VERSION,
    Beat,
    Claim,
    Greeting,
    Refusal,
    Ruling,
    Waive,
    Welcome,
    decode,
    encode,
)

EXAMPLE = Path(__file__).parents[3] / "reference_router" / "router.example.toml"
KEY = "ab" * 32
LIMIT_S = 5.0


def claim(membership=7, turn=1, unit="lu0"):
    return Claim(unit=unit, membership=membership, turn=turn)


def waive(membership=7, turn=1, unit="lu0"):
    return Waive(unit=unit, membership=membership, turn=turn)


# Ledger


def test_first_of_a_membership_has_the_vote_and_keeps_it():
    ledger = Ledger()

    assert ledger.claim(2, claim())[0].holder == 2
    assert ledger.claim(1, claim())[0].holder == 2
    assert ledger.claim(2, claim())[0].holder == 2


def test_vote_that_is_waived_is_free_and_only_its_holder_can_waive_it():
    ledger = Ledger()
    ledger.claim(2, claim())

    assert ledger.waive(1, waive())[0].holder == 2
    assert ledger.waive(2, waive(membership=6))[0].holder == 2
    assert ledger.waive(2, waive())[0].holder == 0
    assert ledger.claim(1, claim())[0].holder == 1


def test_later_membership_begins_anew_and_an_older_one_is_over():
    ledger = Ledger()
    ledger.claim(2, claim(membership=7))

    assert ledger.claim(1, claim(membership=9))[0] == Ruling(
        unit="lu0", turn=1, holder=1, membership=9
    )
    assert ledger.claim(2, claim(membership=7))[0].membership == 9


def test_units_have_votes_of_their_own():
    ledger = Ledger()
    ledger.claim(2, claim())

    assert ledger.claim(1, claim(unit="lu1"))[0].holder == 1


def test_ledger_outlives_its_file():
    ledger = Ledger()
    ledger.claim(2, claim())
    again = from_file(ledger.to_file())

    assert again.claim(1, claim())[0].holder == 2


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b'[{"unit": "lu0"}]', b"\xff", Ledger().to_file() + b"x"],
)
def test_file_that_is_none_is_refused(text):
    with pytest.raises(LedgerError, match="expected"):
        from_file(text)


def test_file_with_a_unit_twice_is_refused():
    ledger = Ledger()
    ledger.claim(2, claim())
    (vote,) = msgspec.json.decode(ledger.to_file())

    with pytest.raises(LedgerError, match="two for the same"):
        from_file(msgspec.json.encode([vote, vote]))


# Service


def config_at(tmp_path, *, port):
    text = EXAMPLE.read_text(encoding="utf-8").replace('link_key = ""', f'link_key = "{KEY}"')
    path = tmp_path / "router.toml"
    path.write_text(
        f"{text}\n[witness]\naddress = 'tcp:127.0.0.1:{port}'\n"
        f"state = '{tmp_path}/votes/witness.json'\nlog = '{tmp_path}/witness.log'\n",
        encoding="utf-8",
    )
    return path


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class End:
    """An engine's end of a session."""

    def __init__(self, port, key=KEY):
        self.epoll = select.epoll()
        self.link = Link(
            f"tcp:127.0.0.1:{port}",
            listens=False,
            epoll=self.epoll,
            key=bytes.fromhex(key),
            encode=encode,
            decode=decode,
        )
        self.heard = []

    def close(self):
        self.link.dispose()
        self.epoll.close()

    def until(self, condition):
        deadline = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < deadline, f"not so after {LIMIT_S} s; heard {self.heard}"
            self.epoll.poll(0.02)
            self.link.connect(time.monotonic_ns())
            self.heard += self.link.receive()
        return self.heard

    def ask(self, message):
        """Send a message, return the next answer."""
        self.until(lambda: self.link.up)
        before = len(self.heard)
        self.link.send([message])
        return self.until(lambda: len(self.heard) > before)[before]


@pytest.fixture
def served(tmp_path):
    """A service in a thread, and a function that makes an engine's end of a session."""
    port = free_port()
    config = load_config(config_at(tmp_path, port=port))
    said = []
    file = VoteFile(Path(config.witness.state), new=True)
    service = Service(config, config.witness, file, said.append)
    thread = threading.Thread(target=service.run)
    thread.start()
    ends = []

    def end(engine=0, key=KEY):
        ends.append(End(port, key))
        if engine:
            greeting = Greeting(version=WITNESS_VERSION, engine=engine, config=config.digest())
            assert ends[-1].ask(greeting) == Welcome()
        return ends[-1]

    end.said, end.config = said, config
    yield end
    service.leaving = True
    thread.join()
    service.dispose()
    file.close()
    for each in ends:
        each.close()


def test_of_two_engines_one_gets_the_vote_and_the_file_has_it(served):
    second, first = served(engine=2), served(engine=1)

    assert second.ask(claim(turn=4)) == Ruling(unit="lu0", turn=4, holder=2, membership=7)
    assert first.ask(claim(turn=9)) == Ruling(unit="lu0", turn=9, holder=2, membership=7)
    kept = from_file(Path(served.config.witness.state).read_bytes())
    assert kept.claim(1, claim())[0].holder == 2
    assert second.ask(waive()).holder == 0
    assert first.ask(claim()).holder == 1
    assert first.ask(Beat(5)) == Beat(5)


@pytest.mark.parametrize(
    ("message", "why"),
    [
        (Greeting(version=99, engine=1, config="x"), "version 99"),
        (Greeting(version=WITNESS_VERSION, engine=9, config="x"), "engine 9"),
        (Greeting(version=WITNESS_VERSION, engine=1, config="x"), "config x; expected"),
        (claim(), "Claim before Greeting"),
    ],
)
def test_stranger_to_the_router_is_told_why_it_is_refused(served, message, why):
    answer = served().ask(message)

    assert isinstance(answer, Refusal)
    assert why in answer.why


@pytest.mark.parametrize("message", [claim(unit="lu9"), Welcome()])
def test_message_that_is_out_of_order_ends_the_session(served, message):
    end = served(engine=1)

    assert isinstance(end.ask(message), Refusal)
    end.until(lambda: not end.link.up)


def test_who_has_another_key_is_not_heard_and_in_nobodys_way(served):
    stranger, end = served(key="cd" * 32), served(engine=1)
    stranger.link.connect(time.monotonic_ns())
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        stranger.link.connect(time.monotonic_ns())

    assert not stranger.link.up
    assert end.ask(claim()).holder == 1


def test_newer_session_of_an_engine_ends_the_older_one(served):
    older = served(engine=1)
    newer = served(engine=1)

    older.until(lambda: not older.link.up)
    assert newer.ask(claim()).holder == 1
    assert any("a newer session" in line for line in served.said)


def test_half_open_connections_do_not_keep_an_engine_out(served):
    with contextlib.ExitStack() as open_ones:
        port = int(served.config.witness.address.rpartition(":")[2])
        for _ in range(40):
            open_ones.enter_context(socket.create_connection(("127.0.0.1", port)))
        assert served(engine=1).ask(claim()).holder == 1


# File and command


def test_witness_without_its_votes_does_not_start(tmp_path):
    with pytest.raises(WitnessError, match=r"no such file.*while both engines serve"):
        VoteFile(tmp_path / "witness.json", new=False)


def test_new_witness_does_not_take_the_place_of_an_old_one(tmp_path):
    path = tmp_path / "witness.json"
    path.write_bytes(Ledger().to_file())

    with pytest.raises(WitnessError, match="it is there"):
        VoteFile(path, new=True)
    assert VoteFile(path, new=False).ledger.claim(1, claim())[0].holder == 1


def test_damaged_file_is_not_taken(tmp_path):
    path = tmp_path / "witness.json"
    path.write_bytes(b"[")

    with pytest.raises(WitnessError, match="expected a witness's votes"):
        VoteFile(path, new=False)


def test_one_file_has_one_witness(tmp_path):
    first = VoteFile(tmp_path / "witness.json", new=True)

    with pytest.raises(WitnessError, match="another witness has it"):
        VoteFile(tmp_path / "witness.json", new=False)
    first.close()
    VoteFile(tmp_path / "witness.json", new=False).close()


def test_command_serves_until_it_is_told_to_leave(tmp_path):
    port = free_port()
    path = config_at(tmp_path, port=port)
    command = [sys.executable, "-m", "reference_router", "witness", "--config", str(path), "--new"]
    with subprocess.Popen(command) as process:
        end = End(port)
        greeting = Greeting(version=WITNESS_VERSION, engine=1, config=load_config(path).digest())
        assert end.ask(greeting) == Welcome()
        assert end.ask(claim()).holder == 1
        end.close()
        process.terminate()
        assert process.wait(LIMIT_S) == 0
    assert "engine1 claims the vote of epoch 7" in (tmp_path / "witness.log").read_text()


def test_command_says_what_it_lacks(capsys):
    assert witness(["--config", str(EXAMPLE)]) == 2
    assert "expected a [witness] table, seen none" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        ("127.0.0.1:9720", "witness.address: expected tcp:ADDRESS:PORT"),
        ("tcp:9720", "witness.address: expected tcp:ADDRESS:PORT"),
        ("tcp:127.0.0.1:0", "witness.address: expected tcp:ADDRESS:PORT"),
    ],
)
def test_wrong_address_is_refused(tmp_path, address, complaint):
    path = config_at(tmp_path, port=1)
    path.write_text(path.read_text().replace("tcp:127.0.0.1:1", address))

    with pytest.raises(ConfigError, match=complaint):
        load_config(path)


def test_witness_without_a_key_is_refused_and_the_digest_names_it(tmp_path):
    path = config_at(tmp_path, port=1)
    with_it = load_config(path).digest()
    path.write_text(path.read_text().replace("127.0.0.1:1'", "127.0.0.1:2'"))
    assert load_config(path).digest() != with_it

    path.write_text(path.read_text().replace(KEY, ""))
    with pytest.raises(ConfigError, match="since the witness is reached by tcp"):
        load_config(path)


def test_garbage_in_the_place_of_a_message_is_refused(served):
    end = served(engine=1)
    end.link._encode = lambda message: message

    answer = end.ask(b'{"kind": "claim"}')

    assert "not a witness's message" in answer.why
