"""How the lab file's engine becomes the engine of a fault."""

from typing import Any

from certify.lab import Command, Engine


def process_of(engine: Engine) -> dict[str, Any]:
    """Return the fields of a fault on the engine's process; all three commands must be there."""
    commands = (engine.pid, engine.start, engine.ready)
    return {
        "subject": engine.name,
        "pid_argv": _argv(engine.pid),
        "start_argv": _argv(engine.start),
        "ready_argv": _argv(engine.ready),
        "timeout_s": max(command.timeout_s for command in commands if command),
    }


def _argv(command: Command | None) -> tuple[str, ...]:
    return tuple(command.argv) if command else ()
