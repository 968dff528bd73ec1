"""router.toml is checked on reading; every complaint names the key, what was expected and seen."""

from pathlib import Path

import pytest

from reference_router.config import ConfigError, load_config

EXAMPLE = Path(__file__).parents[3] / "reference_router" / "router.example.toml"


def load(tmp_path: Path, *, old: str = "", new: str = ""):
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "router.toml"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return load_config(path)


def test_example_is_right_and_shows_the_defaults(tmp_path):
    """Dropping every key of [cluster] but the name changes nothing."""
    text = EXAMPLE.read_text(encoding="utf-8")
    head, rest = text.split("[[engine]]", 1)
    path = tmp_path / "router.toml"
    path.write_text('schema = 1\n[cluster]\nname = "router"\n[[engine]]' + rest, encoding="utf-8")

    assert "cold_start" in head
    assert load_config(path).cluster == load_config(EXAMPLE).cluster


def test_engines_agree_on_a_digest_that_their_own_keys_do_not_change(tmp_path):
    first = load_config(EXAMPLE).digest()
    second = load(tmp_path, old="engine1.ctl", new="other.ctl").digest()

    assert first == second
    assert first != load(tmp_path, old="ZS00000000", new="ZS00000001").digest()


def test_engines_that_promise_differently_do_not_work_together(tmp_path):
    first = load_config(EXAMPLE).digest()

    assert first != load(tmp_path, old="link_lease_ms = 1000", new="link_lease_ms = 900").digest()


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("schema = 1", "schema = 2", "schema: expected 1, seen 2"),
        ('vendor = "ZEROSTAL"', 'vendor = "ZEROSTALL"', "cluster.vendor: expected at most 8"),
        ("leg_deadline_ms = 400", "leg_deadline_ms = 0", "leg_deadline_ms: expected more than 0"),
        ("leg_deadline_ms = 400", "leg_deadline = 400", "unknown field `leg_deadline`"),
        ("leg_deadline_ms = 400", 'leg_deadline_ms = "x"', "Expected `int`"),
        ('supervision = "tombstone"', 'supervision = "yes"', "Invalid enum value 'yes'"),
        ("= 1048576", "= 4096", "cluster.resync_region_bytes: expected a multiple"),
        ("60014057", "50014057", "naa: expected 32 hexadecimal digits that begin with 6"),
        ("60014057", "6001405z", "naa: expected 32 hexadecimal digits that begin with 6"),
        ("size_bytes = 0", "size_bytes = 100", "size_bytes: expected a multiple of 512"),
        ('name = "engine2"', 'name = "engine1"', "name: expected different names"),
        ('name = "engine2"', 'name = "a/b"', "name: expected letters"),
        ("id = 2", "id = 1", "engine.id: expected different ids"),
        ("id = 2", "id = 16", "engine.id: expected 1 to 15, seen [1, 16]"),
        ("id = 2", "id = 0", "engine.id: expected 1 to 15, seen [1, 0]"),
        ("link_ping_ms = 100", "link_ping_ms = 501", "link_lease_ms: expected at least 2 * link"),
        ("link_timeout_ms = 1500", "link_timeout_ms = 1249", "and at most 4/5 of link_timeout_ms"),
        ("lease_limit = 64", "lease_limit = 0", "cluster.lease_limit: expected more than 0"),
        ("[cluster]", "[cluster]\nleg_slow_s = 0", "leg_slow_s: expected more than 0"),
        ('name = "lu0"', 'name = "lu1"', "engine engine1: legs: expected ['lu1'], seen ['lu0']"),
        ('name = "B"', 'name = "C"', "legs.lu0: expected ['A', 'C'], seen ['A', 'B']"),
        ('link_key = ""', 'link_key = "00ff"', "cluster.link_key: expected empty, or at least 32"),
        ('link_key = ""', f'link_key = "{"x" * 32}"', "hexadecimal digits, seen 32 characters"),
        ("/run/zerostall/link-2.sock", "tcp:192.0.2.1:7000", "cluster.link_key: expected a key"),
        ('metrics = ""', 'metrics = "tcp:192.0.2.1:1"', "engine engine1: metrics: expected a loop"),
        ('log_format = "text"', 'log_format = "xml"', "Invalid enum value 'xml'"),
        ("[cluster]", "[cluster", "Expected ']'"),
    ],
)
def test_mistake_is_named(tmp_path, old, new, complaint):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, old=old, new=new)

    assert complaint in str(caught.value)
    assert str(tmp_path / "router.toml") in str(caught.value)


def test_watch_for_slow_legs_may_be_switched_off(tmp_path):
    config = load(tmp_path, old="[cluster]", new="[cluster]\nleg_slow_ms = 0")

    assert config.cluster.leg_slow_ms == 0


def test_units_have_checks_of_their_own_that_both_engines_know(tmp_path):
    """A leg of another unit must not be taken for this one's."""
    first, second = load_config(EXAMPLE), load(tmp_path, old="6c0000000", new="6c0000001")

    checks = [each.check_of(each.logical_unit[0]) for each in (first, second)]
    assert checks[0] != checks[1]
    assert all(0 <= check <= 255 for check in checks)


def test_complaint_about_the_link_key_does_not_tell_it(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, old='link_key = ""', new='link_key = "c0ffee"')

    assert "c0ffee" not in str(caught.value)


def test_link_key_is_what_is_configured_and_never_empty(tmp_path):
    configured = load(tmp_path, old='link_key = ""', new=f'link_key = "{"5a" * 16}"')

    assert configured.link_key == b"Z" * 16
    assert len(load_config(EXAMPLE).link_key) >= 16


def test_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"absent\.toml: cannot be read"):
        load_config(tmp_path / "absent.toml")


def test_unknown_engine_is_named():
    with pytest.raises(ConfigError, match="engine 'x': expected one of engine1, engine2"):
        load_config(EXAMPLE).engine_named("x")


def test_kernel_time_out_is_short_under_a_supervisor_and_the_default_without(tmp_path):
    assert load_config(EXAMPLE).command_timeout_s == 5
    without = load(tmp_path, old='supervision = "tombstone"', new='supervision = "none"')
    assert without.command_timeout_s == 30
