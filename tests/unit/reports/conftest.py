"""Sample runs, made once for all tests of the report."""

import shutil
from pathlib import Path

import pytest

from tests.unit.reports.sample_course import Variant
from tests.unit.reports.sample_run import write_sample_run


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One sealed run folder per variant, and one of a physical lab with three repeats."""
    root = tmp_path_factory.mktemp("samples")
    folders = {str(variant): write_sample_run(root / variant, variant) for variant in Variant}
    folders["physical"] = write_sample_run(root / "physical", repeats=3, physical=True)
    return folders


@pytest.fixture
def healthy(samples: dict[str, Path], tmp_path: Path) -> Path:
    """A sealed run folder that a test may change."""
    return shutil.copytree(samples["healthy"], tmp_path / "healthy")
