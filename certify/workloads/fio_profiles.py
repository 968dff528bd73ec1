"""What fio is told to offer: three mixes that a hospital's storage sees, at fixed rates. Pure.

The rates are small, since the host, the system under test and the probes may share one slow CPU:
the load keeps every path busy and is no benchmark. They are open loop: arrivals are a Poisson
process (`rate_process=poisson`), and asynchronous I/O goes on being sent while older I/O waits, for
DEPTH_S seconds. `io_submit_mode=offload` would do without that bound, but fio 3.33 (Debian 12)
never ends then when rates are set.
"""

from dataclasses import dataclass

DEPTH_S = 8
"""How long a stream sends on at its rate without an answer. fio fills a buffer for each I/O of that
time before it begins, which costs a slow CPU seconds for many large ones."""
RUNTIME_S = 24 * 3600
"""Longer than any scenario: fio is told to end when the load is to end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """One stream of I/O: `rw` and `block` as fio names them, rates in I/Os per second."""

    name: str
    rw: str
    block: str
    reads_per_s: int = 0
    writes_per_s: int = 0
    copies: int = 1

    @property
    def depth(self) -> int:
        """I/Os that may be under way at once."""
        return DEPTH_S * (self.reads_per_s + self.writes_per_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class FioProfile:
    """A named mix of streams."""

    name: str
    words: str
    streams: tuple[Stream, ...]

    @property
    def offered_per_s(self) -> int:
        """I/Os per second of all streams together."""
        return sum(one.copies * (one.reads_per_s + one.writes_per_s) for one in self.streams)


FIO_PROFILES = {
    profile.name: profile
    for profile in (
        FioProfile(
            name="oltp",
            words="a hospital information system: small random pages, and a log beside them",
            streams=(
                Stream(name="pages", rw="randrw", block="8k", reads_per_s=28, writes_per_s=12),
                Stream(name="log", rw="write", block="4k", writes_per_s=20),
            ),
        ),
        FioProfile(
            name="imaging",
            words="an image archive: large blocks, one after another",
            streams=(
                Stream(name="fetch", rw="read", block="256k", reads_per_s=8),
                Stream(name="store", rw="write", block="256k", writes_per_s=4),
            ),
        ),
        FioProfile(
            name="vm",
            words="many small machines on one unit: random blocks of several sizes",
            streams=(
                Stream(
                    name="machine",
                    rw="randrw",
                    block="4k/60:16k/30:64k/10",
                    reads_per_s=5,
                    writes_per_s=5,
                    copies=6,
                ),
            ),
        ),
    )
}
"""Every profile by its name, as `certify run --workload` takes it."""


def job_file(profile: FioProfile, device: str, *, seed: int) -> str:
    """Return the text of a fio job file that offers *profile* to *device* until it is ended."""
    lines = [
        "[global]",
        f"filename={device}",
        "direct=1",
        "ioengine=libaio",
        "thread=1",
        "rate_process=poisson",
        "norandommap=1",
        "continue_on_error=io",
        "time_based=1",
        f"runtime={RUNTIME_S}",
        f"randseed={seed}",
    ]
    for stream in profile.streams:
        rate = f"{stream.reads_per_s or ''},{stream.writes_per_s or ''}".rstrip(",")
        size = f"bssplit={stream.block}" if "/" in stream.block else f"bs={stream.block}"
        lines += ["", f"[{stream.name}]", f"rw={stream.rw}", size]
        lines += [f"rate_iops={rate}", f"iodepth={stream.depth}", f"numjobs={stream.copies}"]
    return "\n".join(lines) + "\n"
