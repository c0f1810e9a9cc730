"""The order in which a script's source would be executed, as far as it can be told."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Protocol

from .modules import FUNCTIONS, Binding, Function, Module, Source
from .names import is_seed_name
from .syntax import asks_for_main, defaults_of, last_name, methods_of


class Visitor(Protocol):
    """What the walk needs of its finder, and tells it."""

    source: Source
    modules: list[Module]
    clock: int
    calls: dict[int, list[tuple[ast.Call, int]]]
    call_order: dict[int, int]

    def look_at(self, node: ast.AST) -> None: ...
    def bindings(self, name: ast.Name) -> list[Binding]: ...
    def functions(self, func: ast.expr) -> list[tuple[Function, int]]: ...
    def maybe_methods(self, func: ast.expr) -> list[ast.FunctionDef]: ...
    def take_field(self, name: str, value: ast.expr, call: ast.Call, owner: ast.ClassDef) -> None: ...


class Walk:
    """Visits the source in about the order in which Python would execute it, and shows each node to the finder."""

    def __init__(self, finder: Visitor) -> None:
        self.finder = finder
        self.done_modules: set[str] = set()
        self.done: set[int] = set()

    def module(self, module: Module) -> None:
        if module.path in self.done_modules:
            return
        self.done_modules.add(module.path)
        for statement in module.tree.body:
            self.visit(statement)

    def rest(self) -> None:
        """The functions that no call was seen to reach."""
        for module in self.finder.modules:
            for node in ast.walk(module.tree):
                if isinstance(node, FUNCTIONS):
                    self.body(node)

    def body(self, function: Function) -> None:
        if id(function) in self.done:
            return
        self.done.add(id(function))
        for statement in function.body if isinstance(function.body, list) else [function.body]:
            self.visit(statement)

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node)
        elif isinstance(node, ast.Call):
            self._call(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            if node.value is not None:
                self.visit(node.value)
            self.finder.look_at(node)
        else:
            for part in self._parts(node):  # here and not in a function: deep source must not need twice the stack
                self.visit(part)

    def _parts(self, node: ast.AST) -> Iterable[ast.AST]:
        """Look at a node; returns what in it is visited next."""
        if isinstance(node, ast.If) and asks_for_main(node.test) and not self._runs_as_main(node):
            return node.orelse
        self.finder.look_at(node)
        if isinstance(node, FUNCTIONS):
            return [*getattr(node, "decorator_list", []), *[d for _n, d in defaults_of(node)]]
        if isinstance(node, (ast.For, ast.AsyncFor)):
            return [node.iter, *node.body, *node.orelse]
        return ast.iter_child_nodes(node)

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        """The modules of the user's that are imported, with the packages around them."""
        names = [a.name for a in node.names]
        if isinstance(node, ast.ImportFrom):
            names = [b.target for a in node.names for b in node._scope.names.get(a.asname or a.name, [])]  # type: ignore[attr-defined]
        for name in names:
            parts = name.split(".")
            for k in range(1, len(parts) + 1):
                module = self.finder.source.modules.get(".".join(parts[:k]))
                if module is not None:
                    self.module(module)

    def _call(self, node: ast.Call) -> None:
        finder = self.finder
        self.visit_expression(node.func)
        arguments = [*node.args, *[keyword.value for keyword in node.keywords]]
        for argument in arguments:
            self.visit(argument)
        finder.look_at(node)
        finder.call_order.setdefault(id(node), finder.clock)
        for function, skip in finder.functions(node.func):
            finder.calls.setdefault(id(function), []).append((node, skip))
            self.body(function)
        for method in finder.maybe_methods(node.func):
            self.body(method)
        self._positional_fields(node)
        handed = handed_over(node)
        if handed is not None:
            self._call(handed)
        for argument in arguments:  # a function handed over: pool.map(train, …), worker_init_fn=…
            if isinstance(argument, ast.Name):
                for binding in finder.bindings(argument):
                    if binding.kind == "def" and isinstance(binding.node, FUNCTIONS):
                        self.body(binding.node)

    def _positional_fields(self, node: ast.Call) -> None:
        """`Config(0.1, 42)` of a dataclass or NamedTuple: its fields are the parameters."""
        finder = self.finder
        for binding in finder.bindings(node.func) if isinstance(node.func, ast.Name) else []:
            owner = binding.node
            if not isinstance(owner, ast.ClassDef) or any(method.name == "__init__" for method in methods_of(owner)):
                continue
            fields = [
                s.target.id for s in owner.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name)
            ]
            for name, argument in zip(fields, node.args):
                if is_seed_name(name):
                    finder.take_field(name, argument, node, owner)

    def _runs_as_main(self, node: ast.AST) -> bool:
        """Whether the file of a node is the script, or one that it starts as a script."""
        module: Module = node._scope.module  # type: ignore[attr-defined]
        return module is self.finder.source.main or module.path in self.finder.source.started

    def visit_expression(self, node: ast.expr) -> None:
        if isinstance(node, ast.Call):
            self.visit(node)
        elif not isinstance(node, ast.Name):
            for child in ast.iter_child_nodes(node):
                self.visit(child)


def handed_over(node: ast.Call) -> ast.Call | None:
    """The call that another will make: `submit(f, 42)`, `partial(f, 42)`, `Thread(target=f, args=(42,))`."""
    last = last_name(node.func)
    keywords = {keyword.arg: keyword.value for keyword in node.keywords}
    function: ast.expr | None = None
    arguments: list[ast.expr] = []
    for what, given in (("target", "args"), ("initializer", "initargs")):
        values = keywords.get(given)
        if what in keywords and isinstance(values, (ast.Tuple, ast.List)):
            function, arguments = keywords[what], values.elts
    if last in ("submit", "partial", "to_thread", "spawn") and node.args:
        function, arguments = node.args[0], node.args[1:]
    elif last in ("apply", "apply_async") and node.args:
        values = node.args[1] if len(node.args) > 1 else keywords.get("args")
        function, arguments = node.args[0], values.elts if isinstance(values, (ast.Tuple, ast.List)) else []
    elif isinstance(node.func, ast.Call) and last_name(node.func.func) == "delayed" and node.func.args:
        function, arguments = node.func.args[0], node.args
    if not isinstance(function, (ast.Name, ast.Attribute)):
        return None
    own = ("func", "target", "args", "kwds", "initializer", "initargs", "callback", "daemon", "name")
    passed = [keyword for keyword in node.keywords if keyword.arg not in own]
    made = ast.copy_location(ast.Call(func=function, args=list(arguments), keywords=passed), node)
    made._scope = node._scope  # type: ignore[attr-defined]
    return made
