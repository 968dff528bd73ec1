"""docs/saboteurs.md lists what there is, and the saboteurs share no code with judge or judged."""

import ast
from pathlib import Path

import pytest

from certify.saboteurs.catalogue import SABOTEURS

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/saboteurs.md").read_text(encoding="utf-8")
HANDLER = (
    *("__main__", "catalogue", "defect", "kernel", "passage", "places", "ring", "saboteur"),
    *("stage", "values"),
)
FILES = [
    *(ROOT / "certify/saboteurs" / f"{name}.py" for name in HANDLER),
    *sorted((ROOT / "certify/saboteurs/defects").glob("*.py")),
]


@pytest.mark.parametrize(
    "saboteur", [one for one in SABOTEURS.values() if not one.control], ids=lambda one: one.name
)
def test_the_page_has_a_line_for_it(saboteur):
    where = ", ".join(dict.fromkeys(catch.where for catch in saboteur.caught_by))
    line = f"| `{saboteur.name}` | {saboteur.family} | {saboteur.what} | {where} |"

    assert line in PAGE.splitlines()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_handler_imports_neither_judge_nor_judged(path):
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")

    ours = ("certify", "reference_router", "fault_injectors", "reports")
    foreign = {one for one in modules if one.startswith(ours)}
    assert {one for one in foreign if not one.startswith("certify.saboteurs")} == set()
