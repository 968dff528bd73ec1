"""One I_T nexus of the unit that exercises may use, and all of them of a lab."""

from dataclasses import dataclass

from certify import cdb, sg
from certify.devices import PathDevice
from certify.exercise import Stage
from certify.lab import Lab, LabError
from certify.scsi import Completion, SenseKey

PURPOSE = "conformance"
TIMEOUT_MS = 5_000
ATTENTIONS_MAX = 8


@dataclass(frozen=True, slots=True)
class Nexus:
    """A path of a host to a unit. Every command opens the device: it may go and come meanwhile."""

    path: PathDevice

    @property
    def name(self) -> str:
        """Who it is, for a report."""
        return f"{self.path.host} by {self.path.engine}"

    def once(
        self, command: bytes, *, data_out: bytes | None = None, data_in_length: int = 0
    ) -> Completion:
        """Send a command once; raise OSError when the kernel does not take it."""
        with sg.opened(self.path.disk.sg_device, nonblocking=True) as descriptor:
            return sg.execute(
                descriptor,
                command,
                data_out=data_out,
                data_in_length=data_in_length,
                timeout_ms=TIMEOUT_MS,
            )

    def send(
        self, command: bytes, *, data_out: bytes | None = None, data_in_length: int = 0
    ) -> Completion:
        """Send a command, again after each unit attention; raise OSError as `once` does."""
        for _ in range(ATTENTIONS_MAX):
            ended = self.once(command, data_out=data_out, data_in_length=data_in_length)
            if ended.sense is None or ended.sense.key != SenseKey.UNIT_ATTENTION:
                break
        return ended

    def write(self, lba: int, data: bytes) -> Completion:
        """Write whole blocks."""
        blocks = len(data) // self.path.disk.block_bytes
        return self.send(cdb.write(lba, blocks, width=16), data_out=data)

    def read(self, lba: int, blocks: int = 1) -> Completion:
        """Read whole blocks."""
        length = blocks * self.path.disk.block_bytes
        return self.send(cdb.read(lba, blocks, width=16), data_in_length=length)


def nexus(stage: Stage, host: int, engine: int) -> Nexus:
    """Return the nexus of the lab file's *host*-th host by its *engine*-th engine, from 0.

    Raises LabError when it is not there.
    """
    wanted = (stage.lab.host[host].name, stage.lab.engine[engine].name)
    for path in stage.devices.all_paths:
        if (path.host, path.engine) == wanted and path.unit.purpose == PURPOSE:
            return Nexus(path)
    raise LabError(f"{wanted[0]} has no path by {wanted[1]} to a unit for {PURPOSE}")


def lacks_hosts(lab: Lab, hosts: int) -> str:
    """Say what a lab lacks for *hosts* hosts with a path by two engines each; "" for nothing."""
    units = [unit for unit in lab.logical_unit if unit.purpose == PURPOSE]
    if not units:
        return f'the lab file names no logical_unit with purpose = "{PURPOSE}"'
    seen_by = {unit.host for unit in units} | {host for unit in units for host in unit.also_on}
    reached = [host.name for host in lab.host if host.name in seen_by and host.reach == "local"]
    if len(reached) < hosts:
        return (
            f"the lab file names {len(reached)} hosts on this machine that see a unit for "
            f"{PURPOSE}; {hosts} are needed"
        )
    for host in reached[:hosts]:
        engines = {path.engine for path in lab.path if path.host == host}
        if len(engines) < 2:
            return f"{host} has paths by {len(engines)} engines; two are needed"
    return ""
