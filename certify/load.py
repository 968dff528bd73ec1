"""The load of a scenario: the application's probes, and beside them all other planes at once.

The application's device; every path by SG_IO; every array's leg past the system under test, where
the lab file permits it; other hosts, on this machine and on their own; the control disk.
"""

import os
from dataclasses import dataclass, field

from certify.deadline import Deadline
from certify.devices import LabDevices, PathDevice, find_inspection_disk
from certify.division import Division, WithCommon, first_version
from certify.heartbeat import tell_standstill
from certify.hosts import remote_hosts
from certify.hosts.fleet import Fleet, muster
from certify.lab import Lab, LabError
from certify.ledger import Chooser, Ledger, Ledgers
from certify.other_host import OtherHost
from certify.path_probes import PathProbes
from certify.probes import Emit, OpenLoopProbe, Pulse, open_device
from certify.tags import run_number
from certify.watcher import Emit as EmitEvent
from certify.workload import Blocks, PlainReads, TaggedReads, TaggedWrites

CONTROL_BLOCKS = 256
WRITER = 1
PREFILL_S = 10.0
PREFILL_INTERVAL_MS = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """How often each probe is due and multipathd is asked, in ms."""

    write_ms: float
    read_ms: float
    control_ms: float
    path_ms: float  # TEST UNIT READY and reads take turns
    array_ms: float
    host_ms: float  # of each other host on this machine, writes and reads
    remote_ms: float  # of each host that is a machine of its own, likewise
    poll_ms: float


RATES = Rates(
    write_ms=10.0,
    read_ms=10.0,
    control_ms=10.0,
    path_ms=50.0,
    array_ms=50.0,
    host_ms=100.0,
    remote_ms=20.0,
    poll_ms=100.0,
)
RATES_EMULATED = Rates(
    write_ms=80.0,
    read_ms=80.0,
    control_ms=40.0,
    path_ms=400.0,
    array_ms=400.0,
    host_ms=800.0,
    remote_ms=160.0,
    poll_ms=1000.0,
)
"""An emulated CPU runs Python about 18 times slower, and the probes share it with the engines."""


def rates_of(lab: Lab) -> Rates:
    """Return rates that leave most of the CPU to the system under test."""
    return RATES_EMULATED if lab.lab.times_indicative else RATES


@dataclass(slots=True, kw_only=True)
class Load:
    """The probes of one repeat of one scenario: `start`, `pulses`, `stop`.

    *ordinal* is the number of the repeat in the run: it makes every version written unique.
    `emit` takes what became of I/Os, `tell` events, both from any thread.
    """

    lab: Lab
    devices: LabDevices
    run_id: str
    seed: int
    ordinal: int
    emit: Emit
    tell: EmitEvent
    may_be_lost: frozenset[str] = frozenset()  # hosts that the scenario's fault takes away
    _application: list[OpenLoopProbe] = field(init=False, default_factory=list)
    _others: list[OpenLoopProbe | PathProbes | OtherHost] = field(init=False, default_factory=list)
    _ledger: Ledger = field(init=False)
    _ledgers: list[Ledger] = field(init=False, default_factory=list)  # of all hosts
    _descriptors: list[int] = field(init=False, default_factory=list)
    _fleet: Fleet = field(init=False, default_factory=Fleet)

    def start(self) -> None:
        """Write the hot blocks once, then start every probe. Raises LabError or OSError."""
        unit = load_unit(self.lab)
        device = self.devices.map_of(unit)
        rates = rates_of(self.lab)
        run = run_number(self.run_id)
        seed = self.seed + self.ordinal
        others = self._other_hosts(unit)
        blocks, all_blocks = self._divide(device.size_bytes, len(others), rates)
        application = self._open(device.device, writable=True)
        writes = TaggedWrites(
            blocks, run=run, writer=WRITER, first_seq=first_version(self.ordinal, 0)
        )
        reads = TaggedReads(all_blocks, run=run, seed=seed)
        self._prefill(application, writes)
        self._application = [
            OpenLoopProbe(
                name="app-write",
                descriptor=application,
                interval_ns=_ns(rates.write_ms),
                workload=writes,
                emit=self.emit,
                slots=self._ledger.capacity,
                overslept=self._overslept,
            ),
            OpenLoopProbe(
                name="app-read",
                descriptor=application,
                interval_ns=_ns(rates.read_ms),
                workload=reads,
                emit=self.emit,
                slots=self._ledger.capacity,
                overslept=self._overslept,
            ),
        ]
        self._others = [
            *self._control(rates),
            self._paths(unit, rates, TaggedReads(all_blocks, run=run, seed=seed + 1)),
            *self._arrays(unit, rates),
            *(
                self._other_host(owner, paths, rates, TaggedReads(all_blocks, run=run, seed=seed))
                for owner, paths in enumerate(others, start=1)
            ),
        ]
        self._fleet.begin()
        for probe in (*self._others, *self._application):
            probe.start()

    def _divide(self, size_bytes: int, others: int, rates: Rates) -> tuple[Blocks, Chooser]:
        """Divide the unit among all hosts, *others* of them on this machine; connect to the rest.

        Returns the blocks that this host writes, and those of all hosts.
        """
        machines = remote_hosts(self.lab)
        division = Division(
            size_bytes=size_bytes,
            seed=self.seed + self.ordinal,
            hosts=1 + others + len(machines),
            common=bool(machines),
        )
        self._ledgers = [division.own(number) for number in range(1 + others)]
        self._ledger = self._ledgers[0]
        if not machines:
            return self._ledger, Ledgers(self._ledgers)
        self._fleet = muster(
            self.lab,
            division,
            run=run_number(self.run_id),
            ordinal=self.ordinal,
            interval_ns=_ns(rates.remote_ms),
            emit=self.emit,
            tell=self.tell,
            may_be_lost=self.may_be_lost,
        )
        self._fleet.connect()
        common = division.shared(0)
        self._ledgers.append(common)
        theirs = (division.written_by(number) for number in range(1 + others, division.hosts))
        return WithCommon(self._ledger, common), Ledgers([*self._ledgers, *theirs])

    def pulses(self) -> dict[str, Pulse]:
        """Return how the application's and the control probe are doing, by name."""
        probes = [*self._application, *self._others]
        return {probe.name: probe.pulse() for probe in probes if isinstance(probe, OpenLoopProbe)}

    def paths_up(self) -> tuple[int, int]:
        """Return how many paths answer, and how many there are."""
        told = [one.paths_up() for one in self._others if isinstance(one, PathProbes)]
        return told[0] if told else (0, 0)

    def failure(self) -> str:
        """Return what ended a probe before its time; "" if nothing did."""
        own = (one.failure for one in (*self._application, *self._others) if one.failure)
        return next(own, "") or self._fleet.failure()

    def flowing(self, within_ms: float) -> bool:
        """Say whether no I/O of the application, on any host, was due longer than *within_ms*."""
        own = all(probe.pulse().waiting_ms <= within_ms for probe in self._application)
        return own and self._fleet.flowing(within_ms)

    def stop(self, *, timeout_s: float) -> int:
        """Stop every probe; wait at most *timeout_s* for I/Os under way. Return how many never
        ended at the application; they are recorded, and their device is left open.
        """
        probes = [*self._application, *self._others]
        for probe in probes:
            probe.stop()
        self._fleet.stop()
        deadline = Deadline.after(timeout_s)
        never = [probe.drain(deadline) for probe in probes]
        self._fleet.drain(deadline)
        if not any(never):
            for descriptor in self._descriptors:
                os.close(descriptor)
        self._descriptors = []
        self._application, self._others = [], []
        return sum(never[:2])

    def written(self) -> list[int]:
        """Return the LBAs of the blocks that were written, in 512-byte sectors."""
        own = (lba for ledger in self._ledgers for lba in ledger.written())
        return sorted({*own, *self._fleet.written()})

    def _overslept(self, name: str, due_ns: int, woke_ns: int) -> None:
        detail = f"the sender of {name} was not let run for {(woke_ns - due_ns) / 1e6:.0f} ms"
        tell_standstill(self.tell, detail, due_ns, woke_ns)

    def _open(self, path: str, *, writable: bool) -> int:
        try:
            descriptor = open_device(path, writable=writable)
        except OSError as error:
            raise LabError(f"{path}: cannot be opened: {error.strerror}") from error
        self._descriptors.append(descriptor)
        return descriptor

    def _prefill(self, descriptor: int, writes: TaggedWrites) -> None:
        """Write every hot block once, so that there is something to read from the beginning."""
        probe = OpenLoopProbe(
            name="app-fill",
            descriptor=descriptor,
            interval_ns=_ns(PREFILL_INTERVAL_MS),
            workload=writes,
            emit=self.emit,
            slots=self._ledger.hot_blocks,
        )
        probe.start()
        deadline = Deadline.after(PREFILL_S)
        while probe.pulse().ended < self._ledger.hot_blocks and not deadline.passed:
            probe.sleep(0.01)
        probe.stop()
        if probe.drain(deadline):
            raise LabError(f"the load device did not take a first write within {PREFILL_S:g} s")

    def _control(self, rates: Rates) -> list[OpenLoopProbe]:
        if self.devices.control is None:
            return []
        descriptor = self._open(self.devices.control.sd_device, writable=False)
        return [
            OpenLoopProbe(
                name="control",
                descriptor=descriptor,
                interval_ns=_ns(rates.control_ms),
                workload=PlainReads(blocks=CONTROL_BLOCKS),
                emit=self.emit,
                slots=256,
            )
        ]

    def _paths(self, unit: str, rates: Rates, reads: TaggedReads) -> PathProbes:
        paths = self.devices.of_unit(unit)
        return PathProbes(
            devices={one.path: one.disk.sg_device for one in paths},
            hctls={one.path: one.disk.hctl for one in paths},
            interval_ns=_ns(rates.path_ms),
            emit=self.emit,
            reads=reads if "cross" in self.lab.lab.planes else None,
            block_bytes=paths[0].disk.block_bytes,
        )

    def _arrays(self, unit: str, rates: Rates) -> list[OpenLoopProbe]:
        """Read each array's leg where the lab file names a disk for it; nobody judges the data:
        a write that was not acknowledged may be there or not.
        """
        legs = [
            (array, leg)
            for array in self.lab.array
            for leg in array.leg
            if leg.logical_unit == unit and leg.inspect_wwid and "array" in self.lab.lab.planes
        ]
        return [
            OpenLoopProbe(
                name=f"array:{array.name}",
                descriptor=self._open(find_inspection_disk(array, leg).sd_device, writable=False),
                interval_ns=_ns(rates.array_ms),
                workload=PlainReads(blocks=CONTROL_BLOCKS),
                emit=self.emit,
                slots=256,
            )
            for array, leg in legs
        ]

    def _other_hosts(self, unit: str) -> list[list[PathDevice]]:
        """Return the paths to *unit* of every other host on this machine, host by host."""
        hosts: dict[str, list[PathDevice]] = {}
        for path in self.devices.other_paths:
            if path.unit.name == unit and "host" in self.lab.lab.planes:
                hosts.setdefault(path.host, []).append(path)
        return list(hosts.values())

    def _other_host(
        self, owner: int, paths: list[PathDevice], rates: Rates, reads: TaggedReads
    ) -> OtherHost:
        writes = TaggedWrites(
            self._ledgers[owner],
            run=run_number(self.run_id),
            writer=WRITER + owner,
            first_seq=first_version(self.ordinal, owner),
        )
        return OtherHost(
            name=paths[0].host,
            devices=[path.disk.sg_device for path in paths],
            hctls=[path.disk.hctl for path in paths],
            interval_ns=_ns(rates.host_ms),
            writes=writes,
            reads=reads,
            emit=self.emit,
            block_bytes=paths[0].disk.block_bytes,
        )


def load_unit(lab: Lab) -> str:
    """Return the name of the logical unit that the load is for; raise LabError if none is."""
    for unit in lab.logical_unit:
        if unit.purpose == "load":
            return unit.name
    raise LabError('the lab file names no logical_unit with purpose = "load"')


def _ns(ms: float) -> int:
    return int(ms * 1e6)
