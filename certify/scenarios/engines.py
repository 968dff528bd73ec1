"""How the lab file's engine becomes the engine of a fault."""

from typing import Any

from certify.lab import Engine, Lab
from certify.scenarios.base import NotApplicableError, argv_of, fields_of
from fault_injectors import EngineLeave


def process_of(engine: Engine) -> dict[str, Any]:
    """Return the fields of a fault on the engine's process; all three commands must be there."""
    commands = (engine.pid, engine.start, engine.ready)
    return {
        "subject": engine.name,
        "pid_argv": argv_of(engine.pid),
        "start_argv": argv_of(engine.start),
        "ready_argv": argv_of(engine.ready),
        "timeout_s": max(command.timeout_s for command in commands if command),
    }


def leaving(lab: Lab, index: int) -> tuple[EngineLeave, str]:
    """Return the planned leave of the engine at *index*, and where it acts.

    Raises NotApplicableError when it is not there or the file names no commands for it.
    """
    if index >= len(lab.engine):
        raise NotApplicableError(f"the lab file names {len(lab.engine)} engines")
    engine = lab.engine[index]
    names = ("leave", "left", "rejoin", "ready")
    missing = [name for name in names if getattr(engine, name) is None]
    if missing:
        raise NotApplicableError(f"engine {engine.name} has no command {', '.join(missing)}")
    commands = fields_of(engine.leave, engine.left, engine.rejoin, engine.ready)
    return EngineLeave(subject=engine.name, **commands), engine.reach
