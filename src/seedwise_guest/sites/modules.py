"""Reading the user's source: which files a script imports, and what each name in them is bound to."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Union

from ..process.frames import is_user_file

Function = Union[ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda]
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(eq=False)
class Binding:
    """One way in which a name gets its value. `kind` says which of the other fields count."""

    kind: str  # value | param | import | def | class | loop | other
    node: ast.AST | None = None
    scope: Scope | None = None  # where `node` is evaluated
    target: str = ""  # import: dotted name
    direct: bool = False  # stands in the scope's own body, under no condition
    line: int = 0


@dataclass(eq=False)
class Scope:
    """A module, class or function with the names it binds."""

    module: Module
    node: ast.AST
    parent: Scope | None = None
    names: dict[str, list[Binding]] = field(default_factory=dict)
    outer: dict[str, str] = field(default_factory=dict)  # declared `global` or `nonlocal`
    counted: set[str] = field(default_factory=set)  # stepped in a `while` that tests them

    def bind(self, name: str, binding: Binding) -> None:
        scope = self
        how = self.outer.get(name)
        if how == "global":
            scope = self.module.scope
        elif how == "nonlocal":
            above = self.parent
            while above is not None and (name not in above.names or isinstance(above.node, ast.ClassDef)):
                above = above.parent
            scope = above or self
        scope.names.setdefault(name, []).append(binding)

    def look_up(self, name: str) -> list[Binding]:
        """The bindings that a name may refer to here, innermost scope first (class bodies are not enclosing)."""
        scope: Scope | None = self
        first = True
        while scope is not None:
            if (first or not isinstance(scope.node, ast.ClassDef)) and name in scope.names:
                return scope.names[name]
            first = False
            scope = scope.parent
        return []


@dataclass(eq=False)
class Module:
    """One file of the user's source, parsed."""

    path: str
    name: str  # dotted; "__main__" for the script
    package: str  # what relative imports start from
    text: bytes  # UTF-8, line ends normalised: columns of the syntax tree count in it
    digest: str  # SHA-256 of the file's bytes
    tree: ast.Module
    scope: Scope = field(init=False)
    imports: list[str] = field(default_factory=list)  # dotted names, as far as they can be user modules

    def __post_init__(self) -> None:
        self.scope = Scope(self, self.tree)
        self.lines = self.text.split(b"\n")
        _Binder(self).visit_body(self.tree.body, self.scope)

    def slice(self, node: ast.expr) -> bytes | None:
        """The source of an expression that stands on one line."""
        if node.end_lineno != node.lineno or node.end_col_offset is None:
            return None
        return self.lines[node.lineno - 1][node.col_offset : node.end_col_offset]


def read_module(path: str, name: str, package: str) -> Module:
    """Parse a file as Python would. Raises SyntaxError, OSError, UnicodeError (a ValueError)."""
    with open(path, "rb") as file:
        data = file.read()
    return parse_module(data, path, name, package)


def parse_module(data: bytes, path: str, name: str, package: str) -> Module:
    """As `read_module`, from the bytes of the file."""
    import warnings
    from hashlib import sha256
    from importlib.util import decode_source

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python itself will show them
        text = decode_source(data)
        tree = ast.parse(text, path)
    return Module(path, name, package, text.encode("utf-8"), sha256(data).hexdigest(), tree)


def _targets(node: ast.AST, line: int) -> Iterator[ast.AST]:
    """The names that the plain assignments of a body on this line bind."""
    body = getattr(node, "body", [])
    for statement in body if isinstance(body, list) else []:
        if statement.lineno <= line <= (statement.end_lineno or statement.lineno):
            targets = statement.targets if isinstance(statement, ast.Assign) else []
            if isinstance(statement, ast.AnnAssign):
                targets = [statement.target]
            for target in targets:
                yield from ast.walk(target)


def _folder_value(node: ast.AST, path: str) -> str | None:
    """The folder that an expression names, if it is made of texts and the file's own place; None otherwise."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name) and node.id == "__file__":
        return path
    if isinstance(node, ast.Attribute):
        base = _folder_value(node.value, path)
        if node.attr == "parent" and base is not None:
            return os.path.dirname(base)
        return {"pardir": os.pardir, "curdir": os.curdir}.get(node.attr)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        left, right = _folder_value(node.left, path), _folder_value(node.right, path)
        return None if left is None or right is None else os.path.join(left, right)
    if isinstance(node, ast.Call):
        return _folder_of_call(node, path)
    return None


def _folder_of_call(node: ast.Call, path: str) -> str | None:
    """The folder that a call from `os`, `os.path` or `pathlib` names."""
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name == "getcwd":
        return os.getcwd()
    if name in ("resolve", "absolute") and isinstance(node.func, ast.Attribute):
        base = _folder_value(node.func.value, path)
        return None if base is None else os.path.abspath(base)
    texts = [text for text in (_folder_value(argument, path) for argument in node.args) if text is not None]
    if not texts or len(texts) < len(node.args):
        return None
    if name == "join":
        return os.path.join(*texts)
    if name == "dirname":
        return os.path.dirname(texts[0])
    if name in ("str", "Path", "fspath"):
        return texts[0]
    if name in ("abspath", "realpath", "normpath", "expanduser"):
        return os.path.abspath(os.path.expanduser(texts[0]))
    return None


def _added_to_path(module: Module) -> list[str]:
    """The folders that a module puts on sys.path, as far as they can be told without running it."""
    found: list[str] = []
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or not node.args:
            continue
        where = node.func.value
        if node.func.attr in ("append", "insert") and isinstance(where, ast.Attribute) and where.attr == "path":
            folder = _folder_value(node.args[-1], module.path)
            if folder is not None:
                found.append(os.path.abspath(folder))
    return found


def _opened(tree: ast.AST) -> set[int]:
    """The nodes inside what is opened as a file: `open("config.py")`, `Path("config.py").read_text()`."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("open", "open_code", "read_text", "read_bytes"):
                found |= {id(part) for part in ast.walk(node)}
    return found


class _Binder:
    """Notes for every scope what binds its names, and on every node the scope in which it stands."""

    def __init__(self, module: Module) -> None:
        self.module = module

    def visit_body(self, body: list[ast.stmt], scope: Scope) -> None:
        for statement in body:
            self.visit(statement, scope)

    def visit(self, node: ast.AST, scope: Scope) -> None:
        node._scope = scope  # type: ignore[attr-defined]
        method = getattr(self, "visit_" + type(node).__name__, None)
        if method is not None:
            method(node, scope)
        else:
            for child in ast.iter_child_nodes(node):
                self.visit(child, scope)

    def _function(self, node: Function, scope: Scope) -> None:
        inner = Scope(self.module, node, scope)
        arguments = node.args
        for default in [*arguments.defaults, *arguments.kw_defaults]:
            if default is not None:
                self.visit(default, scope)
        every = [*getattr(arguments, "posonlyargs", []), *arguments.args, *arguments.kwonlyargs]
        for extra in (arguments.vararg, arguments.kwarg):
            if extra is not None:
                inner.bind(extra.arg, Binding("other"))
        for argument in every:
            inner.bind(argument.arg, Binding("param", node, scope, argument.arg))
        body = node.body if isinstance(node.body, list) else [ast.Expr(node.body)]
        for statement in body:
            self.visit(statement, inner)

    def visit_FunctionDef(self, node: ast.FunctionDef, scope: Scope) -> None:
        scope.bind(node.name, Binding("def", node, scope))
        for decorator in node.decorator_list:
            self.visit(decorator, scope)
        self._function(node, scope)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda, scope: Scope) -> None:
        self._function(node, scope)

    def visit_ClassDef(self, node: ast.ClassDef, scope: Scope) -> None:
        scope.bind(node.name, Binding("class", node, scope))
        for part in [*node.decorator_list, *node.bases, *[k.value for k in node.keywords]]:
            self.visit(part, scope)
        inner = Scope(self.module, node, scope)
        self.visit_body(node.body, inner)

    def visit_Global(self, node: ast.Global, scope: Scope) -> None:
        scope.outer.update(dict.fromkeys(node.names, "global"))

    def visit_Nonlocal(self, node: ast.Nonlocal, scope: Scope) -> None:
        scope.outer.update(dict.fromkeys(node.names, "nonlocal"))

    def visit_While(self, node: ast.While, scope: Scope) -> None:
        tested = {part.id for part in ast.walk(node.test) if isinstance(part, ast.Name)}
        for part in ast.walk(node):
            if isinstance(part, ast.AugAssign) and isinstance(part.target, ast.Name) and part.target.id in tested:
                scope.counted.add(part.target.id)
        for child in ast.iter_child_nodes(node):
            self.visit(child, scope)

    def visit_Import(self, node: ast.Import, scope: Scope) -> None:
        for alias in node.names:
            self.module.imports.append(alias.name)
            bound = alias.asname or alias.name.split(".")[0]
            scope.bind(bound, Binding("import", node, scope, alias.name if alias.asname else bound))

    def visit_ImportFrom(self, node: ast.ImportFrom, scope: Scope) -> None:
        base = node.module or ""
        if node.level:
            parts = self.module.package.split(".") if self.module.package else []
            parts = parts[: len(parts) - (node.level - 1)] if node.level > 1 else parts
            base = ".".join([*parts, base] if base else parts)
        self.module.imports.append(base)
        for alias in node.names:
            full = f"{base}.{alias.name}" if base else alias.name
            self.module.imports.append(full)
            if alias.name == "*":
                scope.bind("*", Binding("import", node, scope, base))
            else:
                scope.bind(alias.asname or alias.name, Binding("import", node, scope, full))

    def _assign(self, target: ast.AST, value: ast.expr | None, scope: Scope, kind: str = "value") -> None:
        if isinstance(target, ast.Name):
            direct = any(target is part for part in _targets(scope.node, target.lineno))
            scope.bind(target.id, Binding(kind, value, scope, direct=direct, line=target.lineno))
        elif isinstance(target, ast.Starred):
            self._assign(target.value, None, scope, "other")
        elif isinstance(target, (ast.Tuple, ast.List)):
            same = isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts) and kind == "value"
            for k, part in enumerate(target.elts):
                if same:
                    self._assign(part, value.elts[k], scope)  # type: ignore[union-attr]
                else:
                    self._assign(part, None, scope, "other")

    def visit_Assign(self, node: ast.Assign, scope: Scope) -> None:
        self.visit(node.value, scope)
        for target in node.targets:
            self._assign(target, node.value, scope)
            self.visit(target, scope)

    def visit_AnnAssign(self, node: ast.AnnAssign, scope: Scope) -> None:
        if node.value is not None:
            self.visit(node.value, scope)
            self._assign(node.target, node.value, scope)
        self.visit(node.target, scope)
        self.visit(node.annotation, scope)

    def visit_NamedExpr(self, node: ast.NamedExpr, scope: Scope) -> None:
        self.visit(node.value, scope)
        self._assign(node.target, node.value, scope)
        self.visit(node.target, scope)

    def visit_For(self, node: ast.For, scope: Scope) -> None:
        self._assign(node.target, node.iter, scope, "loop")
        for child in ast.iter_child_nodes(node):
            self.visit(child, scope)

    visit_AsyncFor = visit_For

    def visit_comprehension(self, node: ast.comprehension, scope: Scope) -> None:
        self._assign(node.target, node.iter, scope, "loop")
        for child in ast.iter_child_nodes(node):
            self.visit(child, scope)

    def visit_With(self, node: ast.With, scope: Scope) -> None:
        for item in node.items:
            if item.optional_vars is not None:
                self._assign(item.optional_vars, None, scope, "other")
        for child in ast.iter_child_nodes(node):
            self.visit(child, scope)

    visit_AsyncWith = visit_With


class Source:
    """The script and every user file that it imports, found without running anything.

    Parameters
    ----------
    search
        Folders in the order of `sys.path`; those of libraries are passed over.
    """

    def __init__(self, main: Module, search: list[str]) -> None:
        self.main = main
        self.search = [folder for folder in search if folder == "" or is_user_file(os.path.join(folder, "x.py"))]
        self.modules: dict[str, Module] = {"__main__": main}
        self.unreadable: dict[str, str] = {}
        self._paths: dict[str, str] = {os.path.realpath(main.path): "__main__"}
        self._missing: set[str] = set()
        self.opened: set[str] = set()  # files that are read as text, perhaps to be executed
        self.started: set[str] = set()  # files that another process is likely to be given as its script
        todo = [main]
        while todo:
            module = todo.pop(0)
            self.search.extend(folder for folder in _added_to_path(module) if folder not in self.search)
            for name in list(module.imports):
                todo.extend(self._load(name))
            todo.extend(self._load_started(module))

    def _load(self, dotted: str) -> Iterator[Module]:
        """Load a module and the packages above it."""
        parts = dotted.split(".")
        for k in range(1, len(parts) + 1):
            name = ".".join(parts[:k])
            if not name or name in self.modules or name in self._missing:
                continue
            path, is_package = self._find(name)
            if not path:
                self._missing.add(name)
                if not is_package:
                    return
                continue
            real = os.path.realpath(path)
            if real in self._paths:
                self.modules[name] = self.modules[self._paths[real]]
                continue
            try:
                module = read_module(path, name, name if is_package else name.rpartition(".")[0])
            except (SyntaxError, OSError, ValueError, RecursionError) as error:
                self.unreadable[path] = f"{type(error).__name__}: {error}"
                self._missing.add(name)
                return
            self.modules[name] = module
            self._paths[real] = name
            yield module

    def _load_started(self, module: Module) -> Iterator[Module]:
        """Scripts that this one names, as it would to start them: their seeds count after its own."""
        opened = _opened(module.tree)
        for node in ast.walk(module.tree):
            text = node.value if isinstance(node, ast.Constant) else None
            if not isinstance(text, str) or not text.endswith(".py") or len(text) > 200 or "\n" in text:
                continue
            for folder in ("", os.path.dirname(module.path)):
                path = os.path.abspath(os.path.join(folder, text))
                if os.path.realpath(path) in self._paths or not os.path.isfile(path) or not is_user_file(path):
                    continue
                if id(node) in opened:
                    self.opened.add(path)
                    continue
                try:
                    started = read_module(path, path, "")
                except (SyntaxError, OSError, ValueError, RecursionError):
                    continue
                self.modules[path] = started
                self._paths[os.path.realpath(path)] = path
                self.started.add(path)
                if os.path.dirname(path) not in self.search:
                    self.search.append(os.path.dirname(path))
                yield started

    def _find(self, name: str) -> tuple[str, bool]:
        """Path of a user module and whether it is a package; ("", True) for a folder without `__init__.py`."""
        relative = name.replace(".", os.sep)
        namespace = False
        for folder in self.search:
            base = os.path.join(folder or os.getcwd(), relative)
            for path, is_package in ((os.path.join(base, "__init__.py"), True), (base + ".py", False)):
                if os.path.isfile(path) and is_user_file(path):
                    return path, is_package
            namespace = namespace or os.path.isdir(base)  # a module later on the path comes first
        return "", namespace

    def unique(self) -> list[Module]:
        """Every file once, the script first."""
        seen: dict[str, Module] = {}
        for module in self.modules.values():
            seen.setdefault(module.path, module)
        return list(seen.values())
