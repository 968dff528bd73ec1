"""fio as background load beside a scenario. It is load, not judge; what it saw is told.

It gets the multipath device of the application's unit, whole and raw.
"""

import shutil
import signal
import tempfile
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from certify.exercise import Stage
from certify.lab import LabError
from certify.workloads.background import Background
from certify.workloads.fio_profiles import FioProfile, job_file
from certify.workloads.fio_result import FioOutputError, FioResult, parse
from certify.workloads.unit import application_unit
from reports.record import EventKind

END_S = 60.0
EXPECTED = "0 I/Os failed"


@dataclass(slots=True, kw_only=True)
class FioLoad:
    """fio from `start` to `stop`; its JSON goes to the run's logs."""

    stage: Stage
    profile: FioProfile
    _folder: Path = field(init=False)
    _process: Background = field(init=False)

    @property
    def name(self) -> str:
        """Of the exercise."""
        return f"fio {self.profile.name}"

    def start(self) -> None:
        """See Exercise.start."""
        stage = self.stage
        self._folder = Path(tempfile.mkdtemp(prefix="zerostall-fio-"))
        self._process = Background(shell=stage.shells("local"), folder=self._folder, name="fio")
        device = stage.devices.map_of(application_unit(stage.lab)).device
        job = self._folder / "job.fio"
        job.write_text(job_file(self.profile, device, seed=stage.seed), encoding="utf-8")
        self._process.start(("fio", "--output-format=json", "--eta=never", str(job)))

    def stop(self) -> None:
        """See Exercise.stop."""
        try:
            status = self._process.end(signal.SIGTERM, timeout_s=END_S)
            if status is None:
                raise LabError(f"{self.name}: fio did not end within {END_S:g} s; it was killed")
            self._tell(self._result())
        finally:
            self._keep()

    def _result(self) -> FioResult:
        try:
            return parse(self._process.file("out").read_text(encoding="utf-8", errors="replace"))
        except (FioOutputError, FileNotFoundError) as error:
            words = self._process.file("err")
            said = words.read_text(encoding="utf-8", errors="replace") if words.exists() else ""
            raise LabError(f"{self.name}: {error} {' '.join(said.split())[:200]}") from error

    def _tell(self, seen: FioResult) -> None:
        good: bool | None = not seen.errors
        if not seen.ios and not seen.errors:
            good = None  # nothing was offered, so nothing is known
        data = {
            "expected": EXPECTED,
            "good": good,
            "ios": seen.ios,
            "errors": seen.errors,
            "worst_ms": round(seen.worst_ms, 3),
            "offered_per_s": self.profile.offered_per_s,
            "achieved_per_s": round(seen.achieved_per_s, 2),
        }
        told = seen.told(self.profile.offered_per_s)
        self.stage.events.event(EventKind.EXERCISE, self.name, told, data)

    def _keep(self) -> None:
        """Keep fio's words among the evidence; what cannot be kept is no reason to fail."""
        with suppress(OSError):
            self.stage.logs.mkdir(parents=True, exist_ok=True)
            for end in ("out", "err"):
                source = self._process.file(end)
                if source.exists() and source.stat().st_size:
                    kept = self.stage.logs / f"fio-{self.stage.ordinal:03}.{end}"
                    shutil.copyfile(source, kept)
            shutil.rmtree(self._folder)
