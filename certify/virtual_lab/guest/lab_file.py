"""Write lab.toml of the virtual lab: what an engineer writes by hand for a real one."""

import msgspec

from certify.lab import SCHEMA, Command, Control, General, Host, Lab, Target
from certify.virtual_lab import layout
from certify.virtual_lab.guest import purge
from certify.virtual_lab.guest.settings import Settings
from certify.virtual_lab.guest.targets.base import Built
from certify.virtual_lab.targets import target_named

PATH = layout.RUN / "lab.toml"


def write(chosen: Settings, built: Built, *, control: str) -> None:
    """Write the lab file from what was really found; *control* is a WWID."""
    lab = lab_of(chosen, built, control=control)
    PATH.write_bytes(msgspec.toml.encode(lab))


def _settle(host: str, chosen: Settings) -> Command | None:
    """Return how the first host, whose kernel all share, is to settle; None if it need not."""
    if chosen.kernel != "uml" or host != layout.HOST:
        return None
    return Command(argv=[chosen.python, "-I", "-S", purge.__file__])


def lab_of(chosen: Settings, built: Built, *, control: str) -> Lab:
    """Return the lab file of a target that stands."""
    target = target_named(chosen.target)
    return Lab(
        schema=SCHEMA,
        target_logs=[*built.logs, f"{layout.RUN}/multipathd.log"],
        lab=General(
            name="virtual-single",
            kind="virtual",
            kernel=chosen.kernel,
            target=target.name,
            topology="single",
            times_indicative=chosen.kernel == "tcg",
        ),
        system_under_test=Target(name=target.title, note=target.note),
        host=[Host(name=name, settle=_settle(name, chosen)) for name in layout.HOSTS],
        logical_unit=list(built.units),
        control=Control(wwid=control, host=layout.HOST),
        path=list(built.paths),
        engine=list(built.engines),
        array=list(built.arrays),
        link=built.link,
        redundancy=built.redundancy,
        means=list(built.means),
    )
