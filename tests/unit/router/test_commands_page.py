"""docs/commands.md lists the commands of the table, no more and no less."""

from pathlib import Path

from reference_router.commands_table import COMMANDS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "commands.md"


def test_page_lists_every_command_as_the_table_has_it():
    rows = []
    for row in COMMANDS:
        code = f"{row.operation_code:02X}"
        code += "" if row.action is None else f"/{row.action:02X}"
        state = row.served_in.name.lower().removesuffix("_non_optimized")
        rows.append(f"| {code} | {row.name} | {row.conflict.value} | {state} |")
    lines = PAGE.read_text(encoding="utf-8").splitlines()

    start = lines.index("| --- | --- | --- | --- |") + 1
    assert lines[start : lines.index("", start)] == rows
