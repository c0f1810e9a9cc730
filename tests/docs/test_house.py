"""The house: files import each other without a circle, and functions stay short."""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"
FILES = sorted(path for path in SOURCE.rglob("*.py") if "scripts" not in path.parts)


def test_no_circle_between_files() -> None:
    grimp = pytest.importorskip("grimp")
    graph = grimp.build_graph("seedwise", "seedwise_guest", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle


def functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def lines_without_docstring(function: ast.FunctionDef) -> int:
    first = function.body[0]
    documented = (
        isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)
    )
    said = (first.end_lineno or 0) - first.lineno + 1 if documented else 0
    return (function.end_lineno or 0) - function.lineno + 1 - said


def test_no_function_is_longer_than_a_screen() -> None:
    long = [f"{path.name}: {f.name}" for path, f in functions() if lines_without_docstring(f) > 60]
    assert not long


def test_every_module_says_in_one_line_what_it_is_for() -> None:
    silent = [str(path.relative_to(SOURCE)) for path in FILES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert not silent
