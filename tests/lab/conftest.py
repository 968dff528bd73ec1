"""Lab tests: the real command line against real kernels as guests.

Each module boots as few guests as it can. The tests have standing labs of their own, one for each
of the processes that run modules side by side, so that one that a developer has up is neither used
nor ended.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lab.support import MARK

LAB = f"tests-{os.environ.get('PYTEST_XDIST_WORKER', 'alone')}"


@dataclass(frozen=True)
class Cli:
    """Runs `certify` as a user does, its run folders in a folder of the test."""

    runs: Path

    def argv(self, *words: str) -> list[str]:
        """Return the command line of one command."""
        return [sys.executable, "-m", "certify", *words]

    def environment(self) -> dict[str, str]:
        """Return the environment with the tests' own standing lab."""
        name, _, value = MARK.partition("=")
        return {**os.environ, "ZEROSTALL_LAB": LAB, name: value}

    def __call__(
        self, *words: str, timeout_s: float = 120, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run one command to its end."""
        return subprocess.run(
            self.argv(*words),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            env={**self.environment(), **environment},
            check=False,
        )

    def start(self, *words: str) -> "subprocess.Popen[str]":
        """Start a command and return without waiting for it."""
        return subprocess.Popen(
            self.argv(*words),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self.environment(),
        )

    @property
    def latest(self) -> Path:
        """The newest run folder."""
        return (self.runs / "latest").resolve()


@pytest.fixture(scope="session")
def need_uml() -> None:
    """UML is not installed: that is a failure of `make setup`, not a reason to skip."""
    assert shutil.which("linux.uml"), "user-mode-linux is missing; make setup installs it"


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """The command line, with run folders of this module."""
    return Cli(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def standing_lab(cli: Cli, need_uml: None) -> Iterator[Cli]:
    """A UML lab that stays up for the tests of a module."""
    up = cli("lab", "up", "--kernel", "uml", "--runs", str(cli.runs))
    assert up.returncode == 0, up.stderr
    yield cli
    down = cli("lab", "down")
    assert down.returncode == 0, down.stderr
