"""What a human sees while a run goes on, on stderr: where it is, what is broken, what is left.

On a terminal one live line at the bottom; elsewhere a line per phase, and one every few seconds.
"""

import time
from collections.abc import Sequence
from enum import StrEnum
from typing import TextIO

from rich.console import Console as RichConsole
from rich.live import Live
from rich.text import Text

from certify.probes import Pulse
from certify.runner import seconds_left
from certify.verdict import show_ms
from reports.record import ScenarioJudgement, ScenarioPlan, Verdict

PLAIN_EVERY_S = 5.0
LIVE_EVERY_S = 0.25
WINDOW_S = 2.0
"""The rate that is shown is over this time at most."""
RATE_S = 0.3
"""A rate over less says nothing."""
STYLES = {
    Verdict.PASS: "green",
    Verdict.FAIL: "bold red",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.NOT_RUN: "dim",
}


class Progress(StrEnum):
    """How progress is shown."""

    AUTO = "auto"  # live on a terminal, plain elsewhere
    LIVE = "live"
    PLAIN = "plain"


class Console:
    """Tells about a whole run. All methods are to be called from one thread."""

    def __init__(self, stream: TextIO, *, progress: Progress = Progress.AUTO) -> None:
        """Write to *stream*; with LIVE even if it does not look like a terminal."""
        live = progress is Progress.LIVE or (progress is Progress.AUTO and stream.isatty())
        self._rich = RichConsole(
            file=stream, force_terminal=live or None, highlight=False, soft_wrap=not live
        )
        self._live: Live | None = None
        self._is_live = live
        self._plans: Sequence[ScenarioPlan] = ()
        self._behind_s = 0.0
        self._phase_text = ""
        self._phase_end = 0.0
        self._last_shown = 0.0
        self._rates: list[tuple[float, int]] = []

    def plan(self, plans: Sequence[ScenarioPlan]) -> None:
        """Tell what will be done, and how long about."""
        self._plans = plans
        runnable = [plan for plan in plans if not plan.not_run]
        total = sum(seconds_left(plan) * plan.repeats for plan in runnable)
        self._behind_s = total
        self.line(f"{len(runnable)} scenarios, about {_clock(total)}")

    def line(self, text: str, *, style: str = "") -> None:
        """Write one line that stays."""
        self._rich.print(Text(text, style=style))

    def scenario(self, plan: ScenarioPlan, repeat: int) -> None:
        """A scenario begins."""
        self._behind_s = max(0.0, self._behind_s - seconds_left(plan))
        which = f", repeat {repeat} of {plan.repeats}" if plan.repeats > 1 else ""
        self.line(f"{plan.id:<4} {plan.title}{which}", style="bold")

    def phase(self, name: str, detail: str, *, left_s: float) -> None:
        """A phase of the scenario began."""
        self._phase_text = f"{name}: {detail}" if detail else name
        self._phase_end = time.monotonic() + left_s + self._behind_s
        self._rates = []
        if name == "done":
            self._stop_live()
        elif self._is_live:
            self._refresh("")
        else:
            left = _clock(left_s + self._behind_s)
            self.line(f"       {self._phase_text}  (about {left} left)")
            self._last_shown = time.monotonic()

    def pulse(self, pulses: dict[str, Pulse], paths_up: tuple[int, int]) -> None:
        """Show how the probes are doing; cheap when it is not time yet."""
        now = time.monotonic()
        self._rates.append((now, _application(pulses, "ended")))
        while now - self._rates[0][0] > WINDOW_S:
            self._rates.pop(0)
        if now - self._last_shown < (LIVE_EVERY_S if self._is_live else PLAIN_EVERY_S):
            return
        self._last_shown = now
        vitals = self._vitals(pulses, paths_up)
        if self._is_live:
            self._refresh(vitals)
        else:
            self.line(f"       … {vitals}")

    def verdict(self, plan: ScenarioPlan, seen: ScenarioJudgement) -> None:
        """A scenario was judged."""
        self._stop_live()
        head = Text(f"{plan.id:<4} ")
        head.append(f"{seen.verdict:<12}", style=STYLES[seen.verdict])
        head.append(f" {seen.reason}")
        self._rich.print(head)

    def close(self) -> None:
        """Leave the terminal as it was found."""
        self._stop_live()

    def _vitals(self, pulses: dict[str, Pulse], paths_up: tuple[int, int]) -> str:
        waiting = max((one.waiting_ms for name, one in pulses.items() if _is_app(name)), default=0)
        worst = max((one.worst_ms for name, one in pulses.items() if _is_app(name)), default=0)
        errors = _application(pulses, "errors")
        rate = self._rate()
        parts = [] if rate is None else [f"{rate:.0f} I/O/s"]
        parts += [f"longest {show_ms(worst)}", "{} of {} paths up".format(*paths_up)]
        if waiting > 100:
            parts.append(f"waiting for {show_ms(waiting)}")
        if errors:
            parts.append(f"{errors} errors")
        return ", ".join(parts)

    def _rate(self) -> float | None:
        """Return I/Os per second lately; None when the phase is too young to tell."""
        if not self._rates or self._rates[-1][0] - self._rates[0][0] < RATE_S:
            return None
        (first, before), (last, after) = self._rates[0], self._rates[-1]
        return (after - before) / (last - first)

    def _refresh(self, vitals: str) -> None:
        left = _clock(self._phase_end - time.monotonic())
        text = Text.assemble(
            ("       ", ""),
            (self._phase_text, "cyan"),
            f"  {vitals}",
            (f"  {left} left", "dim"),
        )
        text.no_wrap, text.overflow = True, "ellipsis"
        if self._live is None:
            self._live = Live(text, console=self._rich, auto_refresh=False, transient=True)
            self._live.start()
        self._live.update(text, refresh=True)

    def _stop_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def _is_app(name: str) -> bool:
    return name.startswith("app-")


def _application(pulses: dict[str, Pulse], field: str) -> int:
    return sum(getattr(one, field) for name, one in pulses.items() if _is_app(name))


def _clock(seconds: float) -> str:
    """Write a time to go: "0:07", "1:30"."""
    whole = max(0, round(seconds))
    return f"{whole // 60}:{whole % 60:02d}"
