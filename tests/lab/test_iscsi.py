"""The router with its hosts in the network: an engine is killed, a wire silenced, all removed."""

import pytest

from reports.folder import load_run
from tests.lab.support import assert_only_time_was_noticed

TARGET = "reference-router-iscsi"
SCENARIOS = ("E1k", "P2")
NODE = "-T iqn.2026-11.org.zerostall:router.engine2 -p 127.0.2.2:3260"
LOGIN = f"""\
iscsiadm -m iface -I $1 -o new
iscsiadm -m iface -I $1 -o update -n iface.initiatorname -v $2
iscsiadm -m node {NODE} -I $1 -o new
iscsiadm -m node {NODE} -I $1 -o update -n node.session.auth.password -v "$3"
iscsiadm -m node {NODE} -I $1 --login 2>&1
"""
REMOVED = """\
engine=$(sed -n s/^pid=//p /run/zerostall/engine1.state)
supervisor=$(sed -n "s/^PPid:[[:space:]]*//p" "/proc/$engine/status")
kill -TERM "$supervisor"
for _ in $(seq 100); do
    kill -0 "$supervisor" 2>/dev/null || break
    sleep 0.1
done
ls /sys/kernel/config/target/iscsi /sys/kernel/config/target/core
"""


@pytest.fixture(scope="module")
def lab(cli, need_uml):
    """A lab with the router by iSCSI that stays up."""
    up = cli("lab", "up", "--kernel", "uml", "--target", TARGET, "--runs", str(cli.runs))
    assert up.returncode == 0, up.stderr
    yield cli
    down = cli("lab", "down")
    assert down.returncode == 0, down.stderr


@pytest.fixture(scope="module")
def run(lab):
    """The sealed run folder of an engine kill, and of a wire that falls silent."""
    done = lab(
        *("run", "--destroy", "--target", TARGET, "--no-conformance", "--profile", "full"),
        *("--repeat", "1", "--runs", str(lab.runs), "-k", " or ".join(SCENARIOS)),
        timeout_s=400,
    )
    assert (lab.latest / "manifest.json").exists(), done.stderr[-3000:]
    return load_run(lab.latest)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_application_notices_more_than_time(run, scenario):
    assert_only_time_was_noticed(run, scenario)


def test_the_paths_are_sessions(run):
    """Two hosts, each with a session at each engine."""
    assert len({path.hctl.rpartition(":")[0] for path in run.run.lab.paths}) == 4


@pytest.mark.parametrize(
    ("name", "initiator", "secret"),
    [
        ("stranger", "iqn.2026-11.org.example:stranger", "known to all"),
        ("liar", "iqn.2026-11.org.zerostall:host2", "known to none"),
    ],
)
def test_nobody_else_is_let_in(lab, name, initiator, secret):
    """Neither an initiator that is in no router file, nor one that does not know the secret."""
    done = lab("lab", "shell", "sh", "-c", LOGIN, "sh", name, initiator, secret)
    assert "authorization failure" in done.stdout, done.stdout + done.stderr


def test_a_planned_stop_leaves_nothing_of_the_engine(run, lab):
    """While both hosts are logged in."""
    done = lab("lab", "shell", "sh", "-c", REMOVED)
    names = done.stdout.split()

    assert "iqn.2026-11.org.zerostall:router.engine1" not in names, done.stderr
    assert "user_101" not in names
    assert {"iqn.2026-11.org.zerostall:router.engine2", "user_102"} <= set(names)
