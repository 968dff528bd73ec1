"""How a stall depends on a setting: set it, run a scenario, and again; a table and a picture.

    python docs/examples/lab/sweep.py --set COMMAND --values 1 2 5 10 --scenario P2 \
        --label "recovery_tmo, s" --svg stall.svg -- --lab lab.toml

COMMAND is for sh, with {} where the value goes; it is run before each repeat. What follows "--" is
given to `certify run`. Exit status: 0, or 1 if a run had no stall to tell, with its reason.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from reportlab.graphics import renderSVG
from reportlab.graphics.charts.lineplots import LinePlot
from reportlab.graphics.shapes import Drawing, String
from reportlab.graphics.widgets.markers import makeMarker
from reportlab.lib.colors import HexColor

WIDTH, HEIGHT, MARGIN = 420, 240, 45
RUNS = Path("runs")
INK, POINT = HexColor("#333333"), HexColor("#0072B2")


class NoStallError(Exception):
    """A run ended without a stall; the message says why."""


def stall_ms(scenario: str, words: Sequence[str]) -> float:
    """Run a scenario once; return its longest stall after the fault. Raises NoStallError."""
    # Beside other runs: of a virtual lab's guest, the host's /tmp is not the guest's.
    RUNS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RUNS) as runs:
        folder = Path(runs) / "run"
        argv = [
            *(sys.executable, "-m", "certify", "run", "--destroy", "--profile", "full"),
            *(
                "--repeat",
                "1",
                "--no-conformance",
                "-k",
                scenario,
                "--run-dir",
                str(folder),
                *words,
            ),
        ]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        try:
            verdict = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
        except OSError as error:
            raise NoStallError(done.stderr.strip()[-500:] or str(error)) from error
    for one in verdict["scenarios"]:
        if one["id"] == scenario and one["stall_failover_ms"] is not None:
            return float(one["stall_failover_ms"])
    raise NoStallError(verdict["sentence"])


def picture(points: Sequence[tuple[float, float]], label: str, title: str) -> Drawing:
    """Return the points (value, stall in s) as a picture."""
    drawing = Drawing(WIDTH, HEIGHT)
    plot = LinePlot()
    plot.x = plot.y = MARGIN
    plot.width, plot.height = WIDTH - 2 * MARGIN, HEIGHT - 2 * MARGIN
    plot.data = [list(points)]
    plot.lines[0].strokeColor = POINT
    plot.lines[0].symbol = makeMarker("FilledCircle", fillColor=POINT, size=4)
    for axis in (plot.xValueAxis, plot.yValueAxis):
        axis.valueMin = 0
        axis.labels.fillColor = INK
        axis.labels.fontSize = 8
    drawing.add(plot)
    for x, y, text in ((MARGIN, HEIGHT - 20, title), (WIDTH / 2 - 40, 12, label)):
        drawing.add(String(x, y, text, fontSize=9, fillColor=INK))
    return drawing


def main() -> int:
    """Sweep; see above."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--set", required=True, dest="command", metavar="COMMAND")
    parser.add_argument("--values", required=True, nargs="+", type=float)
    parser.add_argument("--scenario", default="P2")
    parser.add_argument("--repeat", type=int, default=1)
    parser.add_argument("--label", default="value")
    parser.add_argument("--svg", type=Path)
    own, rest = _parted(sys.argv[1:])
    arguments = parser.parse_args(own)
    points = []
    for value in arguments.values:
        stalls = []
        for _ in range(arguments.repeat):
            set_it = arguments.command.replace("{}", f"{value:g}")
            subprocess.run(["sh", "-c", set_it], check=True)
            try:
                stalls.append(stall_ms(arguments.scenario, rest))
            except NoStallError as error:
                sys.stderr.write(f"{value:g}: no stall: {error}\n")
                return 1
        told = ", ".join(f"{one / 1000:.2f}" for one in stalls)
        sys.stdout.write(f"{value:>8g}  {told} s\n")
        sys.stdout.flush()
        points += [(value, one / 1000) for one in stalls]
    if arguments.svg is not None:
        title = f"Longest stall of {arguments.scenario}, s"
        renderSVG.drawToFile(picture(points, arguments.label, title), str(arguments.svg))
    return 0


def _parted(words: list[str]) -> tuple[list[str], list[str]]:
    """Return what is ours, and what is behind "--"."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


if __name__ == "__main__":
    raise SystemExit(main())
