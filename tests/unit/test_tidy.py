"""The style page of CONTRIBUTING.md, where a machine can check it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("reference_router", "fault_injectors", "reports", "certify")
MAY_IMPORT = {
    "reference_router": set(),
    "fault_injectors": set(),
    "reports": set(),
    "certify": {"fault_injectors", "reports"},
}
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60

SOURCES = [path for name in PACKAGES for path in sorted((ROOT / name).rglob("*.py"))]
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))


def name_of(path):
    """Return the path as pytest should show it."""
    return str(path.relative_to(ROOT))


def imported_packages(tree):
    """Yield the top-level package of every import in a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_imports_go_one_way(path):
    """Leaves import none of ours; the judge imports nothing of the judged."""
    package = path.relative_to(ROOT).parts[0]
    ours = set(imported_packages(ast.parse(path.read_text()))) & set(PACKAGES)

    assert ours - {package} <= MAY_IMPORT[package]


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=name_of)
def test_files_are_small_and_say_what_they_are(path):
    """A file has a docstring and at most 400 lines."""
    text = path.read_text()

    assert ast.get_docstring(ast.parse(text))
    assert len(text.splitlines()) <= FILE_LINES_MAX


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_functions_fit_on_a_screen(path):
    """No function has more than 60 lines."""
    long = [
        f"{node.name} ({node.end_lineno - node.lineno + 1})"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    ]

    assert long == []


@pytest.mark.parametrize("path", [*SOURCES, *TESTS], ids=name_of)
def test_nothing_is_left_to_do(path):
    """What is not done is in an issue, not in the source."""
    if path == Path(__file__).resolve():
        return
    words = ("TODO", "FIXME", "XXX")

    assert [word for word in words if word in path.read_text()] == []
