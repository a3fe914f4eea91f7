"""The floors of the house: a room imports only from rooms below, and each big library from one place."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

FLOORS = ["data_contracts", "instruments", "analysis", "reports", "pipelines"]
ONLY = {"dagster": "pipelines/", "great_expectations": "data_contracts/expectations.py", "plotly": "reports/", "duckdb": ("pipelines/store.py", "analysis/mixed_models/tables.py"),
        "statsmodels": "analysis/", "pingouin": ("analysis/", "instruments/psychometrics/reliability.py")}  # fmt: skip
SLOW = ("great_expectations", "pingouin", "statsmodels", "plotly.express")


def modules(project: Path) -> Iterator[tuple[str, ast.Module]]:
    for room in FLOORS:
        for path in sorted((project / room).rglob("*.py")):
            yield path.relative_to(project).as_posix(), ast.parse(path.read_text())


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def test_a_room_imports_only_from_rooms_below(project: Path) -> None:
    seen = 0
    for name, tree in modules(project):
        floor = FLOORS.index(name.split("/")[0])
        for target in imported(tree):
            if target.split(".")[0] in FLOORS:
                seen += 1
                assert FLOORS.index(target.split(".")[0]) <= floor, f"{name} imports {target}"
    assert seen > 100


def test_no_module_imports_relatively(project: Path) -> None:
    for name, tree in modules(project):
        assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level], name


@pytest.mark.parametrize("library", ONLY)
def test_a_big_library_is_imported_from_its_place_only(project: Path, library: str) -> None:
    users = [
        name for name, tree in modules(project) if any(target.split(".")[0] == library for target in imported(tree))
    ]
    assert users
    assert all(user.startswith(ONLY[library]) for user in users), users


def test_slow_libraries_are_imported_inside_functions(project: Path) -> None:
    for name, tree in modules(project):
        top = ast.Module([node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)], [])
        assert not [target for target in imported(top) if target.startswith(SLOW)], name


def test_reports_never_read_raw_tables(project: Path) -> None:
    for name, tree in modules(project):
        if name.startswith("reports/"):
            assert not [
                target for target in imported(tree) if target.startswith(("pandas.io", "duckdb", "pipelines"))
            ], name
