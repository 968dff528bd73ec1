"""The list of all faults. A new kind is one class and one line here."""

from fault_injectors.array import ArrayOffline, ArraySlow
from fault_injectors.base import Fault
from fault_injectors.engine import EngineHang, EngineKill
from fault_injectors.path import EngineIsolate, PathPull

FAULTS: dict[str, type[Fault]] = {
    PathPull.kind: PathPull,
    EngineIsolate.kind: EngineIsolate,
    EngineKill.kind: EngineKill,
    EngineHang.kind: EngineHang,
    ArrayOffline.kind: ArrayOffline,
    ArraySlow.kind: ArraySlow,
}
