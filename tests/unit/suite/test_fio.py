"""fio's profiles and what its output says."""

import json

import pytest

from certify.workloads.fio_profiles import FIO_PROFILES, job_file
from certify.workloads.fio_result import FioOutputError, parse


def job(*, error=0, total_err=0, reads=10, read_ms=2.0, writes=5, write_ms=1.0):
    """Return one job of fio's JSON, as far as it is read."""

    def side(ios, ms):
        return {"total_ios": ios, "iops": ios / 2, "lat_ns": {"max": int(ms * 1e6)}}

    return {
        "error": error,
        "total_err": total_err,
        "read": side(reads, read_ms),
        "write": side(writes, write_ms),
    }


def output(*jobs):
    """Return what fio writes, with the note that it puts before its JSON."""
    return "fio: terminating on signal 15\n" + json.dumps({"jobs": list(jobs)})


def test_all_streams_are_added_up_and_the_slowest_is_kept():
    seen = parse(output(job(), job(write_ms=70.5)))

    assert (seen.ios, seen.errors, seen.worst_ms, seen.streams) == (30, 0, 70.5, 2)
    assert seen.achieved_per_s == pytest.approx(15.0)


@pytest.mark.parametrize(
    ("jobs", "errors"),
    [
        ([job(total_err=3), job()], 3),
        ([job(error=5)], 1),
        ([job(error=5, total_err=2)], 2),
    ],
)
def test_io_errors_are_counted(jobs, errors):
    assert parse(output(*jobs)).errors == errors


@pytest.mark.parametrize("text", ["", "fio: no such device", "{", '{"jobs": [{}]}'])
def test_other_text_is_an_error_that_shows_it(text):
    with pytest.raises(FioOutputError, match="fio"):
        parse(text)


@pytest.mark.parametrize("profile", FIO_PROFILES.values(), ids=lambda one: one.name)
def test_a_job_file_offers_what_the_profile_says(profile):
    """The rates of all streams come to what the evidence calls offered."""
    text = job_file(profile, "/dev/mapper/x", seed=7)
    rates, copies = [], []
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key == "rate_iops":
            rates.append(sum(int(one) for one in value.split(",") if one))
        if key == "numjobs":
            copies.append(int(value))

    offered = sum(rate * count for rate, count in zip(rates, copies, strict=True))
    assert offered == profile.offered_per_s <= 100
    assert "filename=/dev/mapper/x\n" in text
    assert "rate_process=poisson\n" in text
    assert "randseed=7\n" in text


def test_a_stream_that_only_reads_has_no_rate_of_writes():
    text = job_file(FIO_PROFILES["imaging"], "/dev/x", seed=1)

    assert "rate_iops=8\n" in text
    assert "rate_iops=,4\n" in text


@pytest.mark.parametrize("profile", FIO_PROFILES.values(), ids=lambda one: one.name)
def test_what_fio_fills_before_it_begins_is_small(profile):
    """A page that is touched for the first time costs User Mode Linux 0.3 ms."""
    kib = 0
    for stream in profile.streams:
        largest = max(int(one.partition("k")[0]) for one in stream.block.split(":"))
        kib += stream.copies * stream.depth * largest

    assert kib <= 32 * 1024
    assert f"iodepth={profile.streams[0].depth}\n" in job_file(profile, "/dev/x", seed=1)
