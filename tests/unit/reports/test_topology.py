"""The drawing of the lab marks what was broken, and nothing else; no words meet."""

from itertools import combinations
from pathlib import Path

from msgspec.structs import replace

from reports.folder import load_run
from reports.ink import Segments, Text
from reports.model import Scenario
from reports.record import LabRecord, PathRecord, StepPlan, Verdict
from reports.sections.fault import reproduce_command
from reports.topology import LINK, Broken, broken_of, draw_topology, not_drawn
from reports.view import lab_notice, view_of

ALONE = Broken(ids=("E1k",), verdict=Verdict.PASS)


def two_hosts(lab: LabRecord) -> LabRecord:
    paths = [
        PathRecord(
            name=f"{host}-{engine}",
            host=host,
            engine=engine,
            logical_unit="lu0",
            hctl="1:0:0:0",
            device="/dev/sda",
        )
        for host in ("host1", "host2")
        for engine in lab.engines
    ]
    return replace(lab, hosts=["host1", "host2"], paths=paths)


def words(lab: LabRecord, broken: dict[str, Broken]) -> list[str]:
    texts = [m for m in draw_topology(lab, top=0.0, broken=broken) if isinstance(m, Text)]
    boxes = [text.box() for text in texts]
    assert not any(
        a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        for a, b in combinations(boxes, 2)
    )
    return [text.text for text in texts]


def test_what_each_scenario_broke_is_known(samples: dict[str, Path]) -> None:
    broken = broken_of(view_of(load_run(samples["failing"])).scenarios)
    assert broken["engine1"] == ALONE
    assert broken["A"] == Broken(ids=("A1",), verdict=Verdict.FAIL)
    assert broken["host1-engine1"].ids == ("P1",)
    assert set(broken) == {"host1-engine1", "engine1", "engine2", "A", "B"}


def test_what_was_not_run_broke_nothing(samples: dict[str, Path]) -> None:
    assert "B" not in broken_of(view_of(load_run(samples["inconclusive"])).scenarios)


def test_each_step_of_a_double_fault_counts(samples: dict[str, Path]) -> None:
    scenario = view_of(load_run(samples["healthy"])).scenarios[1]
    steps = [StepPlan(fault="engine_kill", subject="engine1"), StepPlan(fault="x", subject="B")]
    double = Scenario(
        plan=replace(scenario.plan, steps=steps), repeats=scenario.repeats, anchor="a"
    )
    assert set(broken_of([double])) == {"engine1", "B"}


def test_a_broken_box_is_hatched_and_named(samples: dict[str, Path]) -> None:
    lab = load_run(samples["healthy"]).run.lab
    hatched = draw_topology(lab, top=0.0, broken={"engine1": ALONE})
    assert sum(isinstance(mark, Segments) for mark in hatched) == 1
    assert "E1k" in words(lab, {"engine1": ALONE})
    assert not any(isinstance(mark, Segments) for mark in draw_topology(lab, top=0.0))


def test_words_of_broken_paths_of_two_hosts_do_not_meet(samples: dict[str, Path]) -> None:
    lab = two_hosts(load_run(samples["healthy"]).run.lab)
    every = {path.name: ALONE for path in lab.paths} | {LINK: ALONE}
    seen = words(lab, every)
    assert "link: E1k" in seen
    assert "1 path · E1k" in seen
    assert "1 path" not in words(lab, {})


def test_what_has_no_place_in_the_drawing_is_told(samples: dict[str, Path]) -> None:
    lab = load_run(samples["healthy"]).run.lab
    broken = {"engine1": ALONE, "host1-engine2": ALONE, LINK: ALONE, "the clock": ALONE}
    assert list(not_drawn(lab, broken)) == ["the clock"]
    assert LINK in not_drawn(replace(lab, engines=["engine1"]), {LINK: ALONE})


def test_a_lab_with_a_guest_for_each_box_says_so_and_how_to_have_it_again(
    samples: dict[str, Path],
) -> None:
    run = load_run(samples["healthy"])
    said = {}
    for topology in ("single", "cluster"):
        lab = replace(run.run.lab, topology=topology)
        fields = {name: getattr(run, name) for name in run.__slots__}
        view = view_of(type(run)(**{**fields, "run": replace(run.run, lab=lab)}))
        notice = lab_notice(view)
        assert notice is not None
        said[topology] = (notice[1], reproduce_command(view, view.scenarios[0]))

    assert said["single"][0].startswith("All hosts, engines and arrays ran in ")
    assert said["cluster"][0].startswith("Each host, engine and array ran in ")
    assert "--topology" not in said["single"][1]
    assert "--topology cluster " in said["cluster"][1]
