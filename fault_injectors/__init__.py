"""Faults that can be applied, proven and healed, and the journal that outlives a crash.

A fault is a frozen value. Its life:

    prepare -> apply -> probe -> heal -> healed

`Injection` walks it and journals each step before it is taken; `heal_all` finishes it after a
crash of whoever injected.
"""

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
from fault_injectors.base import Fault, FaultError, Proof, wait_for_proof
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
from fault_injectors.injection import Injection, injected
from fault_injectors.journal import HealResult, Journal, heal_all, outstanding
from fault_injectors.kinds import FAULTS
from fault_injectors.path import EngineIsolate, PathPull
from fault_injectors.shell import Completed, LocalShell, Shell, SshShell, shell_for

__all__ = [
    "FAULTS",
    "ArrayBusy",
    "ArrayCut",
    "ArrayErrors",
    "ArrayHang",
    "ArrayOffline",
    "ArrayShrunk",
    "ArraySlow",
    "ArrayTail",
    "ArrayTransition",
    "ArrayWriteErrors",
    "BackPathCut",
    "BlockCorrupt",
    "CommandFault",
    "Completed",
    "EngineHang",
    "EngineIsolate",
    "EngineKill",
    "EngineLeave",
    "Fault",
    "FaultError",
    "HealResult",
    "Injection",
    "Journal",
    "LinkCut",
    "LocalShell",
    "ManagerHang",
    "MediaError",
    "PathPull",
    "Proof",
    "Shell",
    "SshShell",
    "UnitUnmap",
    "heal_all",
    "injected",
    "outstanding",
    "shell_for",
    "wait_for_proof",
]
