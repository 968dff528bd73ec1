"""A lab file that contradicts itself is refused, with the key, what was expected and seen."""

import pytest

from certify.hosts import remote_hosts
from certify.lab import LabError, load_lab
from certify.lab_names import load_lab_to_run

GOOD = """
schema = 1
[lab]
name = "small"
[system_under_test]
name = "Pair"
[[host]]
name = "host1"
[[host]]
name = "host2"
[[logical_unit]]
name = "lu0"
wwid = "3600a"
also_on = ["host2"]
[control]
wwid = "3600c"
[[path]]
name = "p1"
engine = "e1"
hctl = "1:0:0:*"
[[path]]
name = "p2"
host = "host2"
engine = "e1"
hctl = "2:0:0:*"
[[engine]]
name = "e1"
leave = { argv = ["leave"] }
left = { argv = ["left"] }
rejoin = { argv = ["rejoin"] }
[[array]]
name = "A"
hctl = ["3:0:0:*"]
leg = [{ logical_unit = "lu0", inspect_wwid = "3600d" }]
[link]
cut = { argv = ["cut"] }
mend = { argv = ["mend"] }
is_cut = { argv = ["is_cut"] }
[[means]]
scenario = "P2"
subject = "cable"
apply = { argv = ["pull"] }
probe = { argv = ["is_out"] }
heal = { argv = ["plug"] }
[limits]
failover_ms = { P2 = 9000 }
"""


@pytest.fixture
def lab_file(tmp_path):
    """Write a lab file in which one text is replaced by another; return its path."""

    def write(old="", new=""):
        assert old in GOOD
        path = tmp_path / "lab.toml"
        path.write_text(GOOD.replace(old, new, 1))
        return path

    return write


def refusal(path):
    """Return the lines with which a file is refused, without its name."""
    with pytest.raises(LabError) as caught:
        load_lab(path)
    lines = str(caught.value).splitlines()
    assert all(line.startswith(f"{path}: ") for line in lines)
    return [line.removeprefix(f"{path}: ") for line in lines]


def test_a_good_file_is_read(lab_file):
    lab = load_lab(lab_file())

    assert lab.engine[0].leave.argv == ["leave"]
    assert lab.logical_unit[0].also_on == ["host2"]
    assert lab.link.is_cut.timeout_s == 30.0


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ('name = "host2"', 'name = "host1"', "host: expected different names, seen 'host1' twice"),
        ('name = "p2"', 'name = "p1"', "path: expected different names, seen 'p1' twice"),
        (
            'host = "host2"',
            'host = "host3"',
            "path p2: host: expected one of host1, host2, seen 'host3'",
        ),
        ('engine = "e1"', 'engine = "e9"', "path p1: engine: expected one of e1, seen 'e9'"),
        (
            '["host2"]',
            '["host7"]',
            "logical_unit lu0: also_on: expected one of host1, host2, seen 'host7'",
        ),
        (
            '["host2"]',
            '["host1"]',
            "logical_unit lu0: also_on: expected other hosts, seen 'host1'",
        ),
        (
            'logical_unit = "lu0"',
            'logical_unit = "lu5"',
            "array A: leg: expected one of lu0, seen 'lu5'",
        ),
        (
            '"2:0:0:*"',
            '"1:0:0:*"',
            "path p1 and path p2: hctl: expected different devices, both say '1:0:0:*'",
        ),
        (
            '["3:0:0:*"]',
            '["2:0:0:*"]',
            "path p2 and array A: hctl: expected different devices, both say '2:0:0:*'",
        ),
        (
            '"1:0:0:*"',
            '"sda"',
            "path p1: hctl: expected host:channel:target:lun, * and ? allowed, seen 'sda'",
        ),
        (
            'wwid = "3600c"',
            'wwid = "3600a"',
            "wwid: expected every disk to be named once, seen 3600a twice",
        ),
        ('"3600c"', '"360 0c"', "control: wwid: expected a WWID, seen '360 0c'"),
        (
            'inspect_wwid = "3600d"',
            'inspect_wwid = "/dev/sdd"',
            "array A: leg lu0: inspect_wwid: expected a WWID, seen '/dev/sdd'",
        ),
        (
            'wwid = "3600a"',
            'wwid = "3600a"\npurpose = "conformance"',
            'logical_unit: expected one with purpose = "load", seen none',
        ),
        ('wwid = "3600a"', 'wwid = ""', "logical_unit lu0: wwid: expected a WWID, seen ''"),
        (
            'wwid = "3600a"',
            'wwid = "3600a"\npurpose = "fun"',
            "logical_unit lu0: purpose: expected one of load, conformance, application, seen 'fun'",
        ),
        (
            'name = "A"',
            'name = "A"\nreach = "telnet:a"',
            'array A: reach: expected "local" or "ssh:user@name", seen \'telnet:a\'',
        ),
        (
            'name = "host2"',
            'name = "host2"\npython = []',
            "host host2: python: expected a command, seen []",
        ),
        (
            "[link]",
            '[[means]]\nscenario = "D4"\nsubject = "site"\nhosts = ["host1"]\n'
            'apply.argv = ["a"]\nprobe.argv = ["p"]\nheal.argv = ["h"]\n[link]',
            "means D4: hosts: expected one of host2, seen 'host1'",
        ),
        (
            'mend = { argv = ["mend"] }\n',
            "",
            "link: expected cut, mend, is_cut together, seen none for mend",
        ),
        (
            'name = "A"\n',
            'name = "A"\nback = { cut = { argv = ["cut"] } }\n',
            "array A: back: expected cut, mend, is_cut together, seen none for mend, is_cut",
        ),
        (
            'name = "A"\n',
            'name = "A"\nback = { reach = "x" }\n',
            'array A: back: reach: expected "local" or "ssh:user@name", seen \'x\'',
        ),
        (
            'name = "host1"\n',
            'name = "host1"\nsettle = { argv = [] }\n',
            "host host1: settle: argv: expected a command, seen []",
        ),
        (
            '["leave"]',
            "[]",
            "engine e1: leave: argv: expected a command, seen []",
        ),
        (
            '["leave"]',
            '["leave"], timeout_s = 0',
            "engine e1: leave: timeout_s: expected more than 0, seen 0",
        ),
        ("P2 = 9000", "E1k = 0", "limits.failover_ms.E1k: expected more than 0, seen 0"),
        (
            'name = "host1"\n',
            'name = "host1"\nreach = "ssh:root@host1"\n',
            'host host1: reach: expected "local", for the suite runs on the first host, '
            "seen 'ssh:root@host1'",
        ),
        (
            'wwid = "3600a"',
            'wwid = "3600a"\nhost = "host2"',
            "logical_unit lu0: host: expected host1, the first host, where the suite runs, "
            "seen 'host2'",
        ),
        (
            "[link]",
            '[link]\nreach = "switch"',
            'link: reach: expected "local" or "ssh:user@name", seen \'switch\'',
        ),
        (
            'subject = "cable"',
            'subject = "cable"\nreach = "switch"',
            'means P2: reach: expected "local" or "ssh:user@name", seen \'switch\'',
        ),
        ('["plug"]', "[]", "means P2: heal: argv: expected a command, seen []"),
        (
            "[limits]",
            '[[means]]\nscenario = "P2"\nsubject = "s"\napply = { argv = ["a"] }\n'
            'probe = { argv = ["a"] }\nheal = { argv = ["a"] }\n[limits]',
            "means: expected one table per scenario, seen 'P2' twice",
        ),
        ("schema = 1", "schema = 7", "schema: expected 1, seen 7"),
        ('name = "small"', 'name = "s"\nkind = "odd"', "lab.kind: expected physical or virtual"),
        (
            'name = "host1"',
            'nmae = "host1"',
            "host[0].nmae: unknown key, expected one of name, reach",
        ),
        (
            "left = { argv",
            "left = { argvs",
            "engine[0].left.argvs: unknown key, expected one of argv, timeout_s",
        ),
        ("[control]", "[controls]", "controls: unknown key, expected one of schema, lab,"),
        ('name = "host1"', "name = 1", "host[0].name: Expected `str`, got `int`"),
        (
            'name = "small"',
            'name = "small"\nplanes = ["cross", "paths"]',
            "lab.planes[1]: expected one of cross, array, host, seen 'paths'",
        ),
        ('subject = "cable"\n', "", "means[0].subject: expected, seen none"),
        ("schema = 1", "", "schema: expected, seen none"),
        (
            '[[engine]]\nname = "e1"',
            '[engine]\nname = "e1"',
            "engine: Expected `array`, got `object`; write [[engine]], for there may be several",
        ),
        (
            '{ argv = ["leave"] }',
            '"leave now"',
            "engine[0].leave: Expected `object | null`, got `str`; "
            'write a command as { argv = ["word", "word"] }',
        ),
        (
            '{ argv = ["pull"] }',
            '"pull it"',
            "means[0].apply: Expected `object`, got `str`; "
            'write a command as { argv = ["word", "word"] }',
        ),
        (
            '["leave"]',
            '"leave now"',
            "engine[0].leave.argv: Expected `array`, got `str`; "
            'write a list of words: ["word", "word"]',
        ),
    ],
)
def test_a_contradiction_is_named(lab_file, old, new, line):
    assert refusal(lab_file(old, new))[0].startswith(line)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("schema = 1", "schema = 1\nschema = 1", "line 3, 'schema = 1': Cannot overwrite"),
        ("[control]", "[lab]", "line 15, '[lab]': Cannot declare ('lab',) twice"),
        ('name = "small"', "name = ", "line 4, 'name =': Invalid value"),
        ("mend = { argv", "mend = argv", "line 37, 'mend = argv"),
    ],
)
def test_what_is_not_toml_is_told_with_its_line(lab_file, old, new, line):
    assert refusal(lab_file(old, new))[0].startswith(line)


def test_all_contradictions_are_told_at_once(lab_file, tmp_path):
    path = lab_file('engine = "e1"', 'engine = "e9"')
    path.write_text(path.read_text().replace('"3:0:0:*"', '"x"'))

    assert len(refusal(path)) == 2


def test_means_and_limits_of_no_scenario_are_refused_before_a_run(lab_file):
    path = lab_file('scenario = "P2"', 'scenario = "P22"')
    path.write_text(path.read_text().replace("P2 = 9000", "default = 9, E99 = 9"))

    with pytest.raises(LabError) as caught:
        load_lab_to_run(path)

    first, second = str(caught.value).splitlines()
    assert first.startswith(f"{path}: means[0].scenario: expected one of B0, P1, P2,")
    assert first.endswith("seen 'P22'")
    assert second.startswith(f"{path}: limits.failover_ms.E99: expected default or one of B0,")


def test_healing_does_not_ask_whether_a_scenario_is_known(lab_file):
    """The package that brought it may be gone; what it broke must be mended all the same."""
    assert load_lab(lab_file('scenario = "P2"', 'scenario = "X1"')).means[0].scenario == "X1"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LabError, match=r"none\.toml: cannot be read: .*No such file"):
        load_lab(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("reach", "planes", "names"),
    [
        ("ssh:root@host2", '["cross", "host"]', ["host2"]),
        ("local", '["cross", "host"]', []),  # the same machine: its paths are used one by one
        ("ssh:root@host2", '["cross"]', []),
    ],
)
def test_a_host_of_its_own_machine_that_sees_the_load_probes_it(lab_file, reach, planes, names):
    path = lab_file('name = "host2"', f'name = "host2"\nreach = "{reach}"')
    path.write_text(path.read_text().replace("[lab]", f"[lab]\nplanes = {planes}", 1))

    assert [host.name for host in remote_hosts(load_lab(path))] == names


def test_a_host_that_does_not_see_the_load_does_not(lab_file):
    path = lab_file('name = "host2"', 'name = "host2"\nreach = "ssh:root@host2"')
    path.write_text(path.read_text().replace('also_on = ["host2"]', "", 1))

    assert remote_hosts(load_lab(path)) == []
