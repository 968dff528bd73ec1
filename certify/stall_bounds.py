"""How long a stall may last by the host's own timers, computed from what was read. Pure.

Each bound is of one kind of fault and says which timers it is made of. Where a timer is missing
or without an end, so is the bound: that is said as well.
"""

from collections.abc import Mapping, Sequence

from reports.record import Setting

SOURCE = "computed from the settings above"


def bounds_of(settings: Sequence[Setting]) -> list[Setting]:
    """Return the bounds that *settings* imply, worst value of each setting first."""
    known = _seconds_by_name(settings)
    text = {one.name: one.value for one in settings}
    found = (
        ("a path that does not answer", _silent_path(known)),
        ("an iSCSI session that is silent", _silent_session(known)),
        ("an engine's process that hangs (TCMU)", _hung_engine(known)),
        ("all paths gone", _no_path(known, text)),
        ("a path that is back", _path_back(known)),
    )
    return [
        Setting(name=f"Bound: {name}", value=value, source=SOURCE) for name, value in found if value
    ]


def _seconds_by_name(settings: Sequence[Setting]) -> dict[str, float]:
    """Return the largest number of every setting that has one."""
    largest: dict[str, float] = {}
    for one in settings:
        try:
            seconds = float(one.value)
        except ValueError:
            continue
        largest[one.name] = max(seconds, largest.get(one.name, seconds))
    return largest


def _silent_path(known: Mapping[str, float]) -> str:
    """The command timer, then the error handler until eh_deadline (scsi_eh in drivers/scsi)."""
    timer = known.get("SCSI command timer")
    if timer is None:
        return ""
    deadline = known.get("SCSI eh_deadline", 0.0)
    if deadline <= 0:
        return (
            f"no bound: after the command timer of {timer:g} s the error handler takes as long "
            "as it needs (eh_deadline is off)"
        )
    return f"{timer + deadline:g} s: command timer {timer:g} s, eh_deadline {deadline:g} s"


def _silent_session(known: Mapping[str, float]) -> str:
    """NOP-Out interval and time-out, then recovery_tmo until I/O is failed (iscsid.conf)."""
    parts = [
        (name, known.get(f"iSCSI {name}"))
        for name in ("NOP-Out interval", "NOP-Out timeout", "recovery_tmo")
    ]
    if any(seconds is None for _, seconds in parts):
        return ""
    told = ", ".join(f"{name} {seconds:g} s" for name, seconds in parts)
    return f"{sum(seconds or 0.0 for _, seconds in parts):g} s: {told}"


def _hung_engine(known: Mapping[str, float]) -> str:
    """TCMU answers after cmd_time_out by itself (tcmu_check_expired_cmd, target_core_user.c)."""
    seconds = known.get("TCMU cmd_time_out")
    if seconds is None:
        return ""
    if seconds <= 0:
        return "no bound by TCMU (cmd_time_out is 0); the host's command timer is next"
    return f"{seconds:g} s: cmd_time_out, unless the target acts before"


def _no_path(known: Mapping[str, float], text: Mapping[str, str]) -> str:
    """What the maps do now, else no_path_retry: so many checks, then I/O fails (multipath.conf(5)).

    A map whose queueing is "on" has no end, one with "off" fails at once (libmultipath print.c).
    """
    maps = [value for name, value in text.items() if name.startswith("multipath map of ")]
    retries = text.get("multipath no_path_retry", "")
    interval = known.get("multipath polling_interval")
    if retries == "queue" or any("queueing on;" in value for value in maps):
        return "no bound: I/O is queued until a path returns (no_path_retry queue)"
    if retries == "fail" or (maps and all("queueing off;" in value for value in maps)):
        return "0 s: I/O fails at once (no_path_retry fail)"
    if not retries.isdecimal() or interval is None:
        return ""
    return (
        f"{int(retries) * interval:g} s: no_path_retry {retries} × polling_interval {interval:g} s"
    )


def _path_back(known: Mapping[str, float]) -> str:
    """A path is checked at max_polling_interval at the latest; its check may take so long too."""
    interval = known.get("multipath max_polling_interval")
    if interval is None:
        return ""
    checker = known.get("multipath checker_timeout", known.get("SCSI command timer", 0.0))
    return (
        f"used again within {interval + checker:g} s: max_polling_interval {interval:g} s, "
        f"checker {checker:g} s"
    )
