"""The invented lab, run and conformance of the sample runs."""

from reports.record import (
    SCHEMA,
    Acceptance,
    AssertionRecord,
    ConformanceRecord,
    Credibility,
    LabRecord,
    LogicalUnitRecord,
    PathRecord,
    RunRecord,
    Setting,
    SystemUnderTest,
    Tool,
    Verdict,
)
from reports.record_acceptance import Required

PATHS = ("host1-engine1", "host1-engine2")

_ASSERTIONS = [
    ("INQUIRY", "standard data", "SPC-5 6.7.2", "120000006000"),
    ("INQUIRY", "supported VPD pages", "SPC-5 7.7.16", "12010000ff00"),
    ("INQUIRY", "one NAA designator on all paths", "SPC-5 7.7.6", "12018300ff00"),
    ("INQUIRY", "block limits", "SBC-4 6.6.4", "1201b000ff00"),
    ("READ CAPACITY", "10 and 16 agree", "SBC-4 5.20", "9e100000000000000000000000200000"),
    ("READ", "last LBA is readable", "SBC-4 5.15", "8800000000000000ffff000000010000"),
    ("READ", "beyond the last LBA is refused", "SBC-4 5.15", "88000000000000010000000000010000"),
    ("WRITE", "zero length succeeds", "SBC-4 5.40", "8a000000000000000000000000000000"),
    ("CDB", "unknown operation code", "SPC-5 4.2.5", "ff0000000000"),
    ("CDB", "reserved service action", "SPC-5 4.2.5", "9e1f0000000000000000000000000000"),
    ("REPORT LUNS", "well formed list", "SPC-5 6.34", "a00000000000000010000000"),
    ("RTPG", "target port groups", "SPC-5 6.36", "a30a00000000000010000000"),
]


def conformance(*, failing: bool) -> ConformanceRecord:
    """Return twelve assertions on two paths; failing ones break in one, skip in another."""
    assertions = []
    for family, name, clause, cdb in _ASSERTIONS:
        for path in PATHS:
            verdict, reason = Verdict.PASS, ""
            observed = "GOOD"
            if failing and name == "reserved service action" and path == PATHS[1]:
                verdict, observed = Verdict.FAIL, "GOOD, 32 bytes of data"
                reason = "A reserved service action must end in ILLEGAL REQUEST."
            if failing and family == "RTPG":
                verdict, observed = Verdict.NOT_RUN, ""
                reason = "INQUIRY TPGS is 0."
            assertions.append(
                AssertionRecord(
                    family=family,
                    name=name,
                    path=path,
                    clause=clause,
                    cdb=cdb,
                    expected="as the clause says",
                    observed=observed,
                    repeat_with=f"sg_raw -r 255 /dev/sg3 {cdb}",
                    verdict=verdict,
                    reason=reason,
                )
            )
    return ConformanceRecord(schema=SCHEMA, assertions=assertions)


def lab(*, physical: bool, kernel: str) -> LabRecord:
    """Return a lab of one host, two engines, two arrays, two logical units."""
    units = [
        LogicalUnitRecord(
            name=name,
            wwid=f"36001405000000000000000000000{number:04x}",
            size_bytes=megabytes << 20,
            block_bytes=512,
            purpose=purpose,
        )
        for number, (name, megabytes, purpose) in enumerate(
            [("lu0", 64, "load"), ("lu1", 32, "conformance"), ("control", 16, "control")]
        )
    ]
    paths = [
        PathRecord(
            name=f"host1-engine{engine}",
            host="host1",
            engine=f"engine{engine}",
            logical_unit=unit,
            hctl=f"{engine + 1}:0:1:{lun}",
            device=f"/dev/sd{'cdef'[2 * (engine - 1) + lun]}",
        )
        for engine in (1, 2)
        for lun, unit in enumerate(("lu0", "lu1"))
    ]
    return LabRecord(
        name="ward-7-san" if physical else "zerostall-single",
        kind="physical" if physical else "virtual",
        kernel="" if physical else kernel,
        topology="single",
        hosts=["host1"],
        engines=["engine1", "engine2"],
        arrays=["A", "B"],
        logical_units=units,
        paths=paths,
    )


def credibility() -> Credibility:
    """Return what was measured of the suite."""
    return Credibility(
        version="0.1.0",
        commit="3f1c9a0b7d24",
        kernel="kvm",
        measured_utc="2026-11-20T08:00:00Z",
        defects=31,
        defects_found=31,
        clean_runs=30,
        false_alarms=0,
        inconclusive_runs=2,
    )


def run(variant: str, *, physical: bool, emulated: bool) -> RunRecord:
    """Return run.json."""
    accepted = Acceptance(
        customer="Provincial Hospital, Information Centre",
        contract="ACC-2026-0117",
        requirements="HIS storage availability, revision C",
        required=[
            Required(
                id="HIS-4.1",
                text="The loss of one data router does not interrupt the wards.",
                by=["E1k", "HA-004"],
            ),
            Required(
                id="HIS-4.2", text="The loss of one array loses no data.", by=["HA-005", "HA-040"]
            ),
        ],
    )
    return RunRecord(
        schema=SCHEMA,
        run_id=f"20261123T101500Z-{variant}",
        tool=Tool(version="0.1.0", commit="3f1c9a0b7d24", modified=False),
        lab=lab(physical=physical, kernel="tcg" if emulated else "uml"),
        system_under_test=SystemUnderTest(
            name="Reference Router",
            vendor="ZEROSTAL",
            product="Reference Router",
            revision="0.1",
            serials=["RR-0001-engine1", "RR-0001-engine2"],
        ),
        acceptance=accepted if physical else Acceptance(),
        versions={
            "Linux": "6.1.155-1 (Debian)",
            "Python": "3.11.2",
            "multipath-tools": "0.9.4",
            "sg3-utils": "1.46",
            "reference_router": "0.1.0",
        },
        host_timers=[
            Setting(name="SCSI command timer", value="30 s", source="device/timeout of sdc"),
            Setting(name="eh_deadline", value="off", source="scsi_host/host2/eh_deadline"),
            Setting(name="no_path_retry", value="queue", source="multipathd show config"),
            Setting(name="polling_interval", value="1 s", source="multipathd show config"),
            Setting(name="TCMU cmd_time_out", value="5 s", source="attrib/cmd_time_out"),
        ],
        profile="quick",
        seed=20261123,
        started_utc="2026-11-23T10:15:00Z",
        ended_utc="2026-11-23T10:17:21Z",
        anchor_utc_ns=1_795_428_900_000_000_000,
        anchor_monotonic_ns=812_000_000_000,
        times_indicative=emulated,
        complete=True,
        credibility=credibility() if physical else None,
    )
