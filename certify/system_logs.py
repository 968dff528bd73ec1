"""What the system under test and this host have logged, kept beside the evidence. Shell."""

import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from certify.lab import Command, Lab
from fault_injectors import FaultError, Shell, shell_for

LOG_BYTES_MAX = 16 << 20
COMMAND_S = 10.0
OURS = {"dmesg.txt": ["dmesg"], "multipath.txt": ["multipathd", "show", "paths"]}


def keep_logs(lab: Lab, folder: Path, *, shells: Callable[[str], Shell] = shell_for) -> None:
    """Copy the logs of the system under test and of this host into *folder*, as far as they go.

    Of a file the first 16 MiB are kept, of what a command prints the last.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in lab.target_logs:
        source = Path(name)
        with suppress(OSError), source.open("rb") as stream:
            (folder / source.name).write_bytes(stream.read(LOG_BYTES_MAX))
    for engine in lab.engine:
        if engine.log is not None:
            _keep(folder / f"{engine.name}.log", engine.log, shells(engine.reach))
    for file, argv in OURS.items():
        if shutil.which(argv[0]):
            _keep(folder / file, Command(argv=argv, timeout_s=COMMAND_S), shells("local"))


def _keep(file: Path, command: Command, shell: Shell) -> None:
    with suppress(FaultError):
        done = shell.run(command.argv, timeout_s=command.timeout_s, check=False)
        file.write_text(done.stdout[-LOG_BYTES_MAX:], encoding="utf-8")
