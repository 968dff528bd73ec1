"""What fio says that it did, from its JSON. Pure."""

import json
from dataclasses import dataclass
from typing import Any

NS_PER_MS = 1e6


class FioOutputError(ValueError):
    """The text is not what fio writes with --output-format=json; the message says what is amiss."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FioResult:
    """All streams together. Latency counts from when fio made the I/O, not from when it was due."""

    ios: int
    errors: int
    worst_ms: float
    achieved_per_s: float
    streams: int

    def told(self, offered_per_s: int) -> str:
        """Return one line for a reader."""
        return (
            f"{self.ios:,} I/Os, {self.errors} failed; {self.achieved_per_s:.1f} per second of "
            f"{offered_per_s} offered; slowest {self.worst_ms:,.1f} ms"
        )


def parse(text: str) -> FioResult:
    """Return what the output of fio says. Raises FioOutputError.

    fio writes notes before its JSON, so the text is read from the first brace.
    """
    begin = text.find("{")
    if begin < 0:
        raise FioOutputError(f"fio wrote no result; it said: {' '.join(text.split())[:200]!r}")
    try:
        jobs = json.loads(text[begin:])["jobs"]
        sides = [job[side] for job in jobs for side in ("read", "write")]
        return FioResult(
            ios=sum(side["total_ios"] for side in sides),
            errors=sum(_errors(job) for job in jobs),
            worst_ms=max((side["lat_ns"]["max"] for side in sides), default=0) / NS_PER_MS,
            achieved_per_s=sum(side["iops"] for side in sides),
            streams=len(jobs),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise FioOutputError(f"fio's result cannot be read: {error!r}") from error


def _errors(job: dict[str, Any]) -> int:
    """Return the I/Os of a stream that failed; a stream that ended by an error is at least one."""
    return max(int(job.get("total_err", 0)), 1 if job["error"] else 0)
