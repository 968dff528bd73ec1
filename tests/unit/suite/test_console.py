"""A human sees which scenario, what was injected, how I/O does, the time left and the verdict."""

import io

from certify.checker import judge
from certify.console import Console, Progress
from certify.probes import Pulse

from .conftest import Story, make_plan

PULSE = Pulse(ended=100, errors=2, last_ms=1.0, worst_ms=812.0, waiting_ms=640.0)


def test_plain_progress_has_a_line_per_phase() -> None:
    stream = io.StringIO()
    console = Console(stream, progress=Progress.PLAIN)
    plan = make_plan()
    console.plan([plan])
    console.scenario(plan, 1)
    console.phase("fault", "engine_kill on engine1", left_s=9.0)

    assert stream.getvalue().splitlines() == [
        "1 scenarios, about 0:22",
        "E1k  Engine 1 killed",
        "       fault: engine_kill on engine1  (about 0:09 left)",
    ]


def test_stall_and_errors_show_while_they_last() -> None:
    stream = io.StringIO()
    console = Console(stream, progress=Progress.PLAIN)
    console.pulse({"app-write": PULSE, "control": PULSE}, (1, 2))

    assert "longest 812 ms, 1 of 2 paths up, waiting for 640 ms, 2 errors" in stream.getvalue()


def test_verdict_is_told_with_its_reason(story: Story) -> None:
    stream = io.StringIO()
    console = Console(stream, progress=Progress.PLAIN)
    story.io(due=1100, done=1900, tag=1000, lba=80)
    console.verdict(story.plan, judge(story.history()))

    assert stream.getvalue().startswith("E1k  FAIL         Longest stall after the fault: 800 ms")


def test_live_progress_is_one_line_that_goes_away() -> None:
    stream = io.StringIO()
    console = Console(stream, progress=Progress.LIVE)
    console.phase("fault", "engine_kill on engine1", left_s=9.0)
    console.pulse({"app-write": PULSE}, (2, 2))
    console.phase("done", "", left_s=0.0)
    console.close()

    assert "\x1b[" in stream.getvalue()
    assert stream.getvalue().count("\n") <= 1
