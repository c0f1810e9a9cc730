"""What the names in a script refer to: bindings, classes and functions of the user's own modules."""

from __future__ import annotations

import ast

from .modules import FUNCTIONS, Binding, Function, Scope, Source
from .syntax import class_of, is_static, methods_of


class Resolver:
    """Follows names through scopes, imports and classes, without running anything."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.methods: dict[str, list[ast.FunctionDef]] = {}
        """Every method of the user's classes, by its bare name."""

    def dotted(self, node: ast.AST, depth: int = 0) -> str:
        """The full dotted name of an expression such as `np.random.seed`, aliases resolved; "" where unknown."""
        if depth > 20:
            return ""
        if isinstance(node, ast.Attribute):
            base = self.dotted(node.value, depth + 1)
            return f"{base}.{node.attr}" if base else ""
        if isinstance(node, ast.Name):
            scope: Scope = node._scope  # type: ignore[attr-defined]
            bindings = scope.look_up(node.id)
            for binding in bindings:
                if binding.kind == "import":
                    return binding.target
                if binding.kind in ("def", "class"):
                    return f"{scope.module.name}:{node.id}"
                if (
                    binding.kind == "value"
                    and isinstance(binding.node, (ast.Attribute, ast.Name))
                    and len(bindings) == 1
                ):
                    return self.dotted(binding.node, depth + 1)
            return "" if bindings else node.id
        if isinstance(node, ast.Call):
            base = self.dotted(node.func, depth + 1)
            return base if base in ("torch.Generator",) else ""
        return ""

    def user_bindings(self, dotted: str, depth: int = 0) -> list[Binding]:
        """The bindings of `package.module.name` in the user's modules; `module:name` for a name in a module."""
        if depth > 20 or not dotted:
            return []
        if ":" in dotted:
            module_name, _, name = dotted.partition(":")
        else:
            module_name, _, name = dotted.rpartition(".")
        module = self.source.modules.get(module_name)
        if module is None:
            return []
        found = module.scope.names.get(name, [])
        if not found:
            for star in module.scope.names.get("*", []):
                found = found + self.user_bindings(f"{star.target}.{name}", depth + 1)
        result: list[Binding] = []
        for binding in found:
            if binding.kind == "import":
                result.extend(self.user_bindings(binding.target, depth + 1))
            else:
                result.append(binding)
        return result

    def bindings(self, name: ast.Name) -> list[Binding]:
        """What a name may be bound to, imports from user modules followed."""
        scope: Scope = name._scope  # type: ignore[attr-defined]
        result: list[Binding] = []
        found = scope.look_up(name.id)
        if not found:
            for star in scope.module.scope.names.get("*", []):
                result.extend(self.user_bindings(f"{star.target}.{name.id}"))
        for binding in found:
            if binding.kind == "import":
                result.extend(self.user_bindings(binding.target))
            else:
                result.append(binding)
        return result

    def classes(self, node: ast.expr, depth: int = 0) -> list[ast.ClassDef]:
        """The user's classes that an expression may be an instance of, their bases included."""
        bound: list[Binding] = []
        if isinstance(node, ast.Call):
            func = node.func
            bound = self.bindings(func) if isinstance(func, ast.Name) else self.user_bindings(self.dotted(func))
        elif isinstance(node, ast.Name) and node.id in ("self", "cls"):
            owner = class_of(getattr(node, "_scope", None))
            return [] if owner is None else self._with_bases(owner)
        elif isinstance(node, (ast.Name, ast.Attribute)) and depth < 5:
            own = self.bindings(node) if isinstance(node, ast.Name) else self.user_bindings(self.dotted(node))
            found: list[ast.ClassDef] = []
            for binding in own:
                if binding.kind == "class":
                    bound.append(binding)
                elif binding.kind == "value" and isinstance(binding.node, ast.expr):
                    found += self.classes(binding.node, depth + 1)
            if found:
                return found
        return [c for b in bound if isinstance(b.node, ast.ClassDef) for c in self._with_bases(b.node)]

    def _with_bases(self, node: ast.ClassDef, depth: int = 0) -> list[ast.ClassDef]:
        result = [node]
        for base in node.bases if depth < 10 else []:
            bound = self.bindings(base) if isinstance(base, ast.Name) else self.user_bindings(self.dotted(base))
            for binding in bound:
                if isinstance(binding.node, ast.ClassDef):
                    result += self._with_bases(binding.node, depth + 1)
        return result

    def functions(self, func: ast.expr) -> list[tuple[Function, int]]:
        """The user's functions that a call may reach, each with the number of leading parameters to skip (`self`)."""
        bound: list[Binding] = []
        if isinstance(func, ast.Name):
            bound = self.bindings(func)
        elif isinstance(func, ast.Attribute):
            bound = self.user_bindings(self.dotted(func))
            if not bound:
                for owner in self.classes(func.value):
                    for method in methods_of(owner):
                        if method.name == func.attr:
                            return [(method, 0 if is_static(method) else 1)]
                return []
        found: list[tuple[Function, int]] = []
        for binding in bound:
            if (binding.kind == "def" and isinstance(binding.node, FUNCTIONS)) or (
                binding.kind == "value" and isinstance(binding.node, ast.Lambda)
            ):
                found.append((binding.node, 0))
            elif binding.kind == "class" and isinstance(binding.node, ast.ClassDef):
                for owner in self._with_bases(binding.node):
                    made = [(m, 1) for m in methods_of(owner) if m.name in ("__init__", "__post_init__", "__new__")]
                    found += made
                    if made:
                        break
        return found

    def maybe_methods(self, func: ast.expr) -> list[ast.FunctionDef]:
        """The user's methods that a call on something unknown may run: for the order of the walk only."""
        if isinstance(func, ast.Attribute) and not self.dotted(func):
            return self.methods.get(func.attr, [])
        return []
