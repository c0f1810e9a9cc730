"""Where a public name is defined: read from the source, so that no library has to be there or to be loaded."""

import ast
from collections.abc import Sequence
from functools import cache
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"
Definition = ast.FunctionDef | ast.ClassDef


def names_of(module: str) -> Sequence[str]:
    """The `__all__` of a module. Raises LookupError where it has none."""
    for node in _body(_file(module)):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    raise LookupError(f"{module} has no __all__")


def definition_of(name: str) -> Definition:
    """The definition of `seedwise.compare`, wherever it comes from. Raises LookupError where none is found."""
    module, _, short = name.rpartition(".")
    file = _file(module)
    for node in _body(file):
        if isinstance(node, Definition) and node.name == short:
            return node
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if short == (alias.asname or alias.name) and alias.name != "*":
                    return definition_of(f"{_imported_from(node, module, file)}.{alias.name}")
    raise LookupError(f"{name} is defined nowhere in {file}")


def base_of(found: Definition) -> str:
    """The name of the first base of a class; "" for a function, and for a class without one."""
    return ast.unparse(found.bases[0]).rpartition(".")[2] if isinstance(found, ast.ClassDef) and found.bases else ""


def _imported_from(node: ast.ImportFrom, module: str, file: Path) -> str:
    if not node.level:
        return str(node.module)
    package = module.split(".") if file.stem == "__init__" else module.split(".")[:-1]
    parts = package[: len(package) - node.level + 1]
    return ".".join([*parts, *([node.module] if node.module else [])])


def _file(module: str) -> Path:
    place = SOURCE.joinpath(*module.split("."))
    for file in (place / "__init__.pyi", place / "__init__.py", place.with_suffix(".py")):
        if file.exists():
            return file
    raise LookupError(f"there is no module {module}")


@cache
def _body(file: Path) -> Sequence[ast.stmt]:
    """The statements of a file, those under `if`, `try` and `with` too."""
    body = list(ast.parse(file.read_text(encoding="utf-8")).body)
    for node in body:
        if isinstance(node, ast.If | ast.Try | ast.With):
            body.extend(child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt))
    return body
