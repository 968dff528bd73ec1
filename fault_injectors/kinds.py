"""The list of all faults. A new kind is one class and one line here, or another package's."""

from fault_injectors.alua import ArrayTransition
from fault_injectors.array import (
    ArrayHang,
    ArrayOffline,
    ArrayShrunk,
    ArraySlow,
    ArrayTail,
    BackPathCut,
)
from fault_injectors.array_errors import ArrayErrors, ArrayWriteErrors, MediaError
from fault_injectors.base import Fault
from fault_injectors.command import (
    ArrayBusy,
    ArrayCut,
    CommandFault,
    EngineLeave,
    LinkCut,
    UnitUnmap,
)
from fault_injectors.corruption import BlockCorrupt
from fault_injectors.engine import EngineHang, EngineKill, ManagerHang
from fault_injectors.extensions import names, third_party
from fault_injectors.path import EngineIsolate, PathPull
from fault_injectors.shell import FaultError

FAULTS: dict[str, type[Fault]] = {
    PathPull.kind: PathPull,
    EngineIsolate.kind: EngineIsolate,
    EngineKill.kind: EngineKill,
    EngineHang.kind: EngineHang,
    ManagerHang.kind: ManagerHang,
    ArrayOffline.kind: ArrayOffline,
    ArraySlow.kind: ArraySlow,
    ArrayTail.kind: ArrayTail,
    ArrayHang.kind: ArrayHang,
    ArrayErrors.kind: ArrayErrors,
    ArrayWriteErrors.kind: ArrayWriteErrors,
    MediaError.kind: MediaError,
    BlockCorrupt.kind: BlockCorrupt,
    ArrayShrunk.kind: ArrayShrunk,
    ArrayTransition.kind: ArrayTransition,
    ArrayBusy.kind: ArrayBusy,
    BackPathCut.kind: BackPathCut,
    EngineLeave.kind: EngineLeave,
    ArrayCut.kind: ArrayCut,
    LinkCut.kind: LinkCut,
    UnitUnmap.kind: UnitUnmap,
    CommandFault.kind: CommandFault,
}


def fault_class(kind: str) -> type[Fault]:
    """Return the class of a kind, ours or another package's; raise FaultError if there is none."""
    if (cls := FAULTS.get(kind) or third_party(kind)) is None:
        raise FaultError(f"fault kind {kind!r}: expected one of {sorted([*FAULTS, *names()])}")
    return cls
