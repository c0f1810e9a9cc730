"""Finding seed sites: which literals in the user's source are seeds, and which of them is *the* number.

The script is read, not run. A walk in the order in which Python would execute it meets the places where a seed is
asked for (*sinks*: `torch.manual_seed(…)`, `seed=…`, `add_argument("--seed", …)`); from each, values are followed
backwards through names, attributes, parameters and imports to the literals that were typed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from .bindings import Resolver
from .execution_order import Walk
from .findings import Findings, Remark, Site, Use
from .modules import FUNCTIONS, Binding, Function, Module, Scope, Source, read_module
from .names import (
    CLOCKS,
    GLOBAL_SEEDING,
    MANY_SEEDS,
    OTHER_SEEDING,
    SPLITTING,
    is_seed_name,
    is_seeding_helper,
    names_a_seed,
    words,
)
from .syntax import (
    COUNTERS,
    class_of,
    constant_text,
    defaults_of,
    given_argument,
    holds_numbers,
    is_asked_for,
    is_digits,
    is_getter,
    is_none,
    is_offset,
    is_same_text,
    last_name,
    literal_number,
    methods_of,
    own_nodes,
    targets_of,
)

_GENTLE_CALLS = frozenset(
    "print format info debug warning error write log append startswith endswith assertEqual".split()
)
_DRAWING = frozenset("randint randrange integers getrandbits randbits urandom choice random_integers".split())
_WRAPPERS = frozenset(
    "int abs int32 int64 uint32 uint64 long field Field Option Argument Param Parameter Integer".split()
)


_HOLDERS = frozenset(
    "dict Namespace SimpleNamespace Dict EasyDict edict Munch replace update create ConfigDict AttrDict".split()
)
"""Calls that make an object with the keywords as its attributes or keys."""


@dataclass(eq=False)
class _Sink:
    """A place that asks for a seed."""

    value: ast.expr
    where: str
    order: int
    is_global: bool
    parameter: tuple[Function, str] | None = None  # the value is this parameter's default
    reachable: bool = True
    weak: bool = False


@dataclass(eq=False)
class _Stored:
    """A value that is kept under a name. `origin`: attribute, field, key, keyword, option, fallback; `owner`: of what."""

    name: str
    value: ast.expr
    origin: str
    owner: ast.AST | None


@dataclass
class _Want:
    """What is known on the way from a sink back to the literals."""

    sink: _Sink
    order: tuple[int, ...]
    overridden: bool = False
    group: int | None = None
    in_sum: bool = False
    """The value is part of a computation: a loop variable in it counts, it does not list seeds."""


def find_sites(source: Source) -> Findings:
    """The seed sites of a script and of every user file it imports."""
    return _Finder(source).run()


class _Finder(Resolver):
    def __init__(self, source: Source) -> None:
        super().__init__(source)
        self.modules = source.unique()
        self.sites: dict[tuple[str, int, int], Site] = {}
        self.remarks: dict[tuple[str, str, int], Remark] = {}
        self.sinks: list[_Sink] = []
        self.attributes: dict[str, list[_Stored]] = {}
        self.weak: dict[int, _Stored] = {}  # a field's default or a getter's fallback, which gives way to …
        self.given: set[tuple[int, str]] = set()  # … a number that is given to the class's field elsewhere, or …
        self.keyed: set[str] = set()  # … a number that stands under the key elsewhere
        self.calls: dict[int, list[tuple[ast.Call, int]]] = {}  # function node → calls of it
        self.split_values: list[tuple[ast.expr, Scope, str]] = []
        self.tests: list[ast.expr] = []  # conditions on a seed
        self.seen: set[tuple[int, int]] = set()
        self.clock = 0
        self.resting = False
        self.call_order: dict[int, int] = {}
        self.touched: dict[int, set[tuple[str, int, int]]] = {}  # value expression → sites found from it
        self.reached: dict[tuple[str, int, int], set[int]] = {}  # site → value expressions elsewhere that lead to it

    def run(self) -> Findings:
        for module in self.modules:
            self._index(module)
        walk = Walk(self)
        walk.module(self.source.main)
        for module in self.modules:
            walk.module(module)
        self.resting = True
        walk.rest()
        for sink in self.sinks:
            self._from_sink(sink)
        uses = self._split_uses()
        self._meanings()
        self._mentions()
        self._opened()
        sites = sorted(self.sites.values(), key=lambda s: (s.path != self.source.main.path, s.path, s.line, s.column))
        remarks = sorted(self.remarks.values(), key=lambda r: (r.path, r.line))
        files = {module.path: module.digest for module in self.modules}
        return Findings(sites, remarks, uses, files, dict(self.source.unreadable))

    def take_field(self, name: str, value: ast.expr, call: ast.Call, owner: ast.ClassDef) -> None:
        """Take the value that a call gives to a dataclass's field by its position."""
        self._store(name, value, "keyword", call)
        self.add_sink(value, f"{owner.name}({name}=…)")

    # --- the index of named values and the sinks -------------------------------------------------------------------

    def _store(self, name: str, value: ast.expr | None, origin: str, owner: ast.AST | None = None) -> None:
        """Note a value that is kept under a name."""
        if value is None or not name:
            return
        stored = _Stored(name, value, origin, owner)
        self.attributes.setdefault(name, []).append(stored)
        if origin in ("field", "fallback"):
            self.weak[id(value)] = stored
        elif literal_number(value) is not None:
            if origin in ("key", "option") or (isinstance(owner, ast.Call) and last_name(owner.func) in _HOLDERS):
                self.keyed.add(name)
            for made in self.classes(owner) if isinstance(owner, ast.expr) else []:
                self.given.add((id(made), name))

    def _gives_way(self, node: ast.expr) -> bool:
        """Whether a literal is a default for which another number is given elsewhere."""
        stored = self.weak.get(id(node))
        if stored is None:
            return False
        return (
            stored.name in self.keyed if stored.origin == "fallback" else (id(stored.owner), stored.name) in self.given
        )

    def _index(self, module: Module) -> None:
        """Note every value that is stored under an attribute, key, keyword or option, and every method."""
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.Assign, ast.AnnAssign)):
                self._index_assignment(node, getattr(node, "_scope", module.scope))
            elif isinstance(node, ast.ClassDef):
                self._index_class(node)
            elif isinstance(node, ast.Dict):
                for key, value in zip(node.keys, node.values):
                    if key is not None:
                        self._store(constant_text(key), value, "key", node)
            elif isinstance(node, ast.Call):
                self._index_call(node)

    def _index_assignment(self, node: ast.Assign | ast.AnnAssign, scope: Scope) -> None:
        for target in targets_of(node):
            if isinstance(target, ast.Attribute):
                owner: ast.AST | None = class_of(scope) if last_name(target.value) == "self" else target.value
                self._store(target.attr, node.value, "attribute", owner)
            elif isinstance(target, ast.Subscript):
                self._store(constant_text(target.slice), node.value, "key")

    def _index_class(self, node: ast.ClassDef) -> None:
        for statement in node.body:
            if not isinstance(statement, (ast.Assign, ast.AnnAssign)):
                continue
            for target in targets_of(statement):
                if isinstance(target, ast.Name):
                    self._store(target.id, statement.value, "field", node)
        for method in methods_of(node):
            self.methods.setdefault(method.name, []).append(method)

    def _index_call(self, node: ast.Call) -> None:
        for keyword in node.keywords:
            if keyword.arg:
                self._store(keyword.arg, keyword.value, "keyword", node)
        option = self._option(node)
        if option is not None:
            last = last_name(node.func)
            declared = not is_getter(last) or last.startswith("DEFINE_")
            for name in option[0]:
                self._store(name, option[1], "option" if declared else "fallback", node)

    def _option(self, call: ast.Call) -> tuple[list[str], ast.expr] | None:
        """Names and default of a declared option or a looked-up key: `add_argument("--seed", default=42)`."""
        texts = [constant_text(argument) for argument in call.args]
        names = [t.lstrip("-").replace("-", "_").split(".")[-1] for t in texts if t and not t.isdigit()]
        last = last_name(call.func)
        if not names or last in _GENTLE_CALLS:
            return None
        for keyword in call.keywords:
            if keyword.arg == "dest" and constant_text(keyword.value):
                names.append(constant_text(keyword.value))
        for keyword in call.keywords:
            if keyword.arg == "default":
                return names, keyword.value
        if is_getter(last):
            position = next(k for k, text in enumerate(texts) if text and not text.isdigit())
            rest = call.args[position + 1 :]
            return (names, rest[0]) if rest else None
        if (
            last in ("Option", "Argument", "option") and literal_number(call.args[0]) is not None
        ):  # typer.Option(42, "--seed")
            return names, call.args[0]
        return None

    def add_sink(
        self,
        value: ast.expr,
        where: str,
        is_global: bool = False,
        parameter: tuple[Function, str] | None = None,
    ) -> None:
        self.sinks.append(_Sink(value, where, self.clock, is_global, parameter, not self.resting))

    def look_at(self, node: ast.AST) -> None:
        """Add the sinks that this node holds. Called in the order of execution."""
        self.clock += 1
        if isinstance(node, ast.Call):
            self._look_at_call(node)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.NamedExpr)):
            if node.value is not None:
                for target in targets_of(node):
                    self._look_at_target(target, node.value)
        elif isinstance(node, ast.Dict):
            self._look_at_dict(node)
        elif isinstance(node, (ast.List, ast.Tuple)):
            self._look_at_pairs(node.elts, "[{}, …]")
        elif isinstance(node, FUNCTIONS):
            for name, default in defaults_of(node):
                if is_seed_name(name):
                    self.add_sink(default, f"{getattr(node, 'name', 'lambda')}({name}=…)", parameter=(node, name))
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            self._look_at_loop(node)
        elif isinstance(node, (ast.If, ast.While, ast.IfExp)):
            self._look_at_test(node.test)

    def _look_at_dict(self, node: ast.Dict) -> None:
        for key, value in zip(node.keys, node.values):
            text = "" if key is None else constant_text(key)
            if text and names_a_seed(text):
                self.add_sink(value, f'"{text}": …')

    def _look_at_pairs(self, values: Sequence[ast.expr], shown: str) -> None:
        """A number straight after the name of a seed: `["SEED", 7]`, `setattr(cfg, "seed", 7)`, `["--seed", "7"]`."""
        for before, value in zip(values, values[1:]):
            text = constant_text(before)
            if text and names_a_seed(text) and self._literal(value) is not None:
                self.add_sink(value, shown.format(f'"{text}"'))
                self.sinks[-1].weak = True

    def _look_at_target(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, (ast.Tuple, ast.List)):
            if isinstance(value, (ast.Tuple, ast.List)) and len(value.elts) == len(target.elts):
                for part, expr in zip(target.elts, value.elts):
                    self._look_at_target(part, expr)
            return
        name = ""
        if isinstance(target, ast.Name):
            name = target.id
        elif isinstance(target, ast.Attribute):
            name = target.attr
        elif isinstance(target, ast.Subscript):
            name = constant_text(target.slice)
            if name and not names_a_seed(name):
                name = ""
        if not name or not is_seed_name(name):
            return
        if isinstance(target, ast.Name) and name in target._scope.counted:  # type: ignore[attr-defined]
            self.remark("list", target, target.lineno, f"counts through seeds: {name}")
        else:
            self.add_sink(value, f"{name} = …")

    def _look_at_call(self, node: ast.Call) -> None:
        last = last_name(node.func)
        seeding, is_global = self._seeds(node)
        if seeding:
            shown = f"{ast.unparse(node.func) if len(last) < 60 else last}(…)"
            given = _seed_given_to(node)
            if given is not None:
                self.add_sink(given, shown, is_global)
        for keyword in node.keywords:
            if keyword.arg and is_seed_name(keyword.arg):
                self.add_sink(keyword.value, f"{last}({keyword.arg}=…)", is_global)
        option = self._option(node)
        named = [text for text in map(constant_text, node.args) if text and names_a_seed(text)]
        if option is not None and named:
            self.add_sink(option[1], f'{last}("{named[0]}", …)')
        elif named and last not in _GENTLE_CALLS:
            self._look_at_pairs(node.args, last + "({}, …)")
        if self.dotted(node.func) in MANY_SEEDS:
            for keyword in node.keywords:
                if keyword.arg and not is_seed_name(keyword.arg):
                    self.add_sink(keyword.value, f"{last}({keyword.arg}=…)")
        if last in SPLITTING:
            for argument in [*node.args, *[k.value for k in node.keywords]]:
                self.split_values.append((argument, node._scope, last))  # type: ignore[attr-defined]

    def _seeds(self, node: ast.Call) -> tuple[bool, bool]:
        """Whether a call seeds a generator, and whether that is a global one."""
        called = self._called(node.func)
        if called & GLOBAL_SEEDING:
            return True, True
        if called & OTHER_SEEDING:
            return True, False
        if self.functions(node.func):  # a function of the user's: the sinks inside it tell
            return False, False
        last, is_name = last_name(node.func), isinstance(node.func, ast.Name)
        if last in ("seed", "manual_seed", "manual_seed_all"):
            return is_name or len(node.args) <= 1, is_name
        helper = is_seeding_helper(last)
        return helper, helper

    def _called(self, func: ast.expr) -> set[str]:
        """The dotted names of what a call may call; also in `for f in (random.seed, np.random.seed): f(42)`."""
        found = {self.dotted(func)}
        for binding in self.bindings(func) if isinstance(func, ast.Name) else []:
            if binding.kind == "loop" and isinstance(binding.node, ast.expr):
                for values in self._values(binding.node):
                    if isinstance(values, (ast.List, ast.Tuple, ast.Set)):
                        found |= {self.dotted(value) for value in values.elts}
        return found

    def _look_at_loop(self, node: Any) -> None:
        names = [n.id for n in ast.walk(node.target) if isinstance(n, ast.Name)]
        if any(is_seed_name(name) for name in names):
            line = getattr(node, "lineno", node.target.lineno)
            self.remark("list", node.target, line, f"loops over a list of seeds: {ast.unparse(node.iter)[:60]}")

    def _look_at_test(self, test: ast.expr) -> None:
        def is_seed(node: ast.expr) -> bool:
            return is_seed_name(last_name(node)) if isinstance(node, (ast.Name, ast.Attribute)) else False

        while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            test = test.operand
        parts = test.values if isinstance(test, ast.BoolOp) else [test]
        for part in parts:
            plain = is_seed(part)
            if plain or (isinstance(part, ast.Compare) and is_seed(part.left)):
                self.tests.append(part)
            against_zero = (
                isinstance(part, ast.Compare)
                and is_seed(part.left)
                and literal_number(part.comparators[0]) == 0
                and isinstance(part.ops[0], (ast.NotEq, ast.Gt, ast.Eq))
            )
            if plain or against_zero:
                self.remark("zero", part, part.lineno, f"treats seed 0 as no seed: {ast.unparse(test)[:60]}")

    def remark(self, kind: str, node: ast.AST, line: int, text: str) -> None:
        self.found = True
        scope: Scope = getattr(node, "_scope", self.source.main.scope)
        self.remarks.setdefault((kind, scope.module.path, line), Remark(kind, scope.module.path, line, text))

    # --- from the sinks back to the literals -----------------------------------------------------------------------

    def _from_sink(self, sink: _Sink) -> None:
        self.found = False
        self.seen = set()
        overridden = sink.parameter is not None and self._all_callers_pass(*sink.parameter)
        self.demand(sink.value, _Want(sink, (sink.order,), overridden))
        value = sink.value
        if not self.found and sink.is_global and sink.reachable:
            text = ast.unparse(value)[:60]
            self.remark(
                "elsewhere",
                value,
                value.lineno,
                f"{sink.where[:-2]}{text}): this seed is not typed in the source",
            )

    def demand(self, node: ast.expr, want: _Want, depth: int = 0) -> None:
        """Follow the value of an expression backwards to the literals in it."""
        key = (id(node), 1 if want.overridden else 0)
        if key in self.seen or depth > 60:
            return
        self.seen.add(key)
        if self._literal(node) is not None:
            self._add(node, want)
            return
        if is_none(node):
            self.found = True  # the script chooses to be unseeded
            return
        method = getattr(self, "_from_" + type(node).__name__, None)
        if method is not None:
            method(node, want, depth + 1)

    def _literal(self, node: ast.expr) -> int | None:
        number = literal_number(node)
        if number is None and isinstance(node, ast.Constant) and is_digits(node):
            return int(str(node.value))
        return number

    def _from_NamedExpr(self, node: ast.NamedExpr, want: _Want, depth: int) -> None:
        self.demand(node.value, want, depth)

    def _from_Starred(self, node: ast.Starred, want: _Want, depth: int) -> None:
        self.demand(node.value, want, depth)

    def _from_IfExp(self, node: ast.IfExp, want: _Want, depth: int) -> None:
        want = replace(want, group=want.group or id(node))
        self.demand(node.body, want, depth)
        self.demand(node.orelse, want, depth)

    def _from_BoolOp(self, node: ast.BoolOp, want: _Want, depth: int) -> None:
        want = replace(want, group=want.group or id(node))
        for value in node.values:
            self.demand(value, want, depth)

    def _from_List(self, node: ast.List, want: _Want, depth: int) -> None:
        if any(literal_number(element) is not None for element in node.elts):
            self.remark("list", node, node.lineno, f"a list as a seed: {ast.unparse(node)[:60]}")

    _from_Tuple = _from_List

    def _from_UnaryOp(self, node: ast.UnaryOp, want: _Want, depth: int) -> None:
        self.demand(node.operand, want, depth)

    def _from_BinOp(self, node: ast.BinOp, want: _Want, depth: int) -> None:
        if self._clock(node, want):
            return
        left, right = node.left, node.right
        if isinstance(node.op, (ast.Mod, ast.FloorDiv, ast.BitAnd, ast.LShift, ast.RShift, ast.Div)):
            self.demand(left, want, depth)
            return
        sides = [side for side in (left, right) if literal_number(side) is None]
        seeds = [side for side in sides if self._holds_a_seed(side)]
        want = replace(want, in_sum=True)
        if seeds:
            for side in seeds:
                self.demand(side, want, depth)
        elif len(sides) == 1 and isinstance(node.op, (ast.Add, ast.Sub, ast.BitXor, ast.BitOr)):
            self._add(left if sides[0] is right else right, want)
        elif len(sides) == 2:
            for side in sides:
                if not is_offset(side):
                    self.demand(side, want, depth)

    def _holds_a_seed(self, node: ast.expr) -> bool:
        """Whether a seed stands in this operand, so that a number beside it is an offset."""
        for part in ast.walk(node):
            if isinstance(part, (ast.Name, ast.Attribute)) and is_seed_name(last_name(part)):
                return True
            if isinstance(part, ast.Subscript) and names_a_seed(constant_text(part.slice) or "-"):
                return True
            if isinstance(part, ast.Call) and (
                is_seed_name(last_name(part.func)) or last_name(part.func) == "initial_seed"
            ):
                return True
            if isinstance(part, ast.Name) and not is_offset(part):  # base = 42; np.random.seed(base + 1)
                bound = self.bindings(part)
                if len(bound) == 1 and bound[0].kind == "value" and literal_number(bound[0].node) is not None:
                    return True
        # a literal inside, as in `1000 * rank + 7`, is a factor; inside a nested sum it is the base
        return (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, (ast.Add, ast.Sub))
            and any(literal_number(side) is not None for side in (node.left, node.right))
        )

    def source_key(self, node: ast.expr) -> tuple[str, int, int] | None:
        scope: Scope | None = getattr(node, "_scope", None)
        return None if scope is None else (scope.module.path, node.lineno, node.col_offset)

    def _from_Name(self, node: ast.Name, want: _Want, depth: int) -> None:
        if any(word in COUNTERS for word in words(node.id)) and not is_seed_name(node.id):
            return  # rank = int(environ.get("RANK", 0)): what is typed there is a count, not a seed
        bound = self.bindings(node)
        if any(b.scope is not None and node.id in b.scope.counted for b in bound):
            if not want.in_sum and not is_seed_name(
                node.id
            ):  # in SEED + i it is an offset; a seed's name is told where it is set
                self.remark("list", node, node.lineno, f"counts through seeds: {node.id}")
            return
        here: Scope = node._scope  # type: ignore[attr-defined]
        certain = [
            k
            for k, b in enumerate(bound)
            if b.kind == "value" and b.direct and (b.scope is not here or b.line < node.lineno)
        ]
        for k, binding in enumerate(bound):
            if binding.kind == "value" and isinstance(binding.node, ast.expr):
                replaced = bool(certain) and k < certain[-1]  # assigned again before it is used
                self.demand(binding.node, replace(want, overridden=want.overridden or replaced), depth)
            elif binding.kind == "param":
                self._from_parameter(binding, want, depth)
            elif binding.kind == "loop" and isinstance(binding.node, ast.expr) and not want.in_sum:
                if holds_numbers(binding.node) or isinstance(binding.node, (ast.Name, ast.Attribute)):
                    if want.sink.is_global or is_seed_name(node.id):
                        text = ast.unparse(binding.node)[:60]
                        self.remark("list", binding.node, binding.node.lineno, f"loops over a list of seeds: {text}")

    def _all_callers_pass(self, function: Function, name: str) -> bool:
        """Whether every call of this function that was seen gives the parameter a value of its own."""
        calls = self.calls.get(id(function), [])
        return bool(calls) and all(
            given_argument(function, call, skip, name) is not None
            or (name in self.keyed and any(keyword.arg is None for keyword in call.keywords))  # train(**config)
            for call, skip in calls
        )

    def _from_parameter(self, binding: Binding, want: _Want, depth: int) -> None:
        function = binding.node
        assert isinstance(function, FUNCTIONS)
        for call, skip in self.calls.get(id(function), []):
            given = given_argument(function, call, skip, binding.target)
            if given is not None:
                order = (self.call_order.get(id(call), want.order[0]), *want.order)
                self.demand(given, replace(want, order=order, group=None), depth)
        default = dict(defaults_of(function)).get(binding.target)
        if default is not None:
            overridden = want.overridden or self._all_callers_pass(function, binding.target)
            self.demand(default, replace(want, overridden=overridden, group=None), depth)
        for decorator in getattr(function, "decorator_list", []):
            if isinstance(decorator, ast.Call):
                option = self._option(decorator)
                if option is not None and binding.target in option[0]:
                    self.demand(option[1], want, depth)

    def _from_Attribute(self, node: ast.Attribute, want: _Want, depth: int) -> None:
        want = replace(want, group=None)
        bound = self.user_bindings(self.dotted(node))
        for binding in bound:
            if binding.kind == "value" and isinstance(binding.node, ast.expr):
                self.demand(binding.node, want, depth)
        if bound:
            return
        if node.attr == "value" and isinstance(node.value, ast.Attribute):  # a member of an Enum
            self.demand(node.value, want, depth)
            return
        owners = self.classes(node.value)
        for owner in owners:
            for method in methods_of(owner):
                if method.name == node.attr and any("property" in last_name(d) for d in method.decorator_list):
                    self._from_returns(method, want, depth)
        made = [b.node for b in self.bindings(node.value) if b.node] if isinstance(node.value, ast.Name) else []
        self._from_stored(node.attr, owners, want, depth, made)

    def _from_stored(
        self, name: str, owners: list[ast.ClassDef], want: _Want, depth: int, made: Sequence[ast.AST] = ()
    ) -> None:
        """What is kept under a name: anywhere if the name says that it is a seed, else in the object's own class.

        `made` are the calls that make the object: their keywords count, those of other library calls do not.
        """
        named = is_seed_name(name)
        if not named and any(word in COUNTERS for word in words(name)):
            return
        for stored in self.attributes.get(name, []):
            owner = stored.owner
            of = self.classes(owner) if isinstance(owner, ast.expr) else [owner]
            own = owner in made or any(c in owners for c in of)
            if stored.origin == "keyword" and not own:  # Sampler(seed=10) of a library says nothing of args.seed
                own = named and isinstance(owner, ast.Call) and (bool(of) or last_name(owner.func) in _HOLDERS)
            elif not own:
                own = stored.origin == "option" or named if not owners else False
            if own:
                self.demand(stored.value, want, depth)

    def _from_Subscript(self, node: ast.Subscript, want: _Want, depth: int) -> None:
        name = constant_text(node.slice)
        want = replace(want, group=None)
        if name and is_seed_name(name):
            self._from_stored(name, [], want, depth)
        elif name:
            for value in self._values(node):
                self.demand(value, want, depth)

    def _values(self, node: ast.expr, depth: int = 0) -> list[ast.expr]:
        """The expressions that `settings["a"]["b"]` may stand for, looked up in literal dictionaries."""
        if isinstance(node, ast.Name):
            return [b.node for b in self.bindings(node) if b.kind == "value" and isinstance(b.node, ast.expr)]
        if not isinstance(node, ast.Subscript) or depth > 8:
            return [node]
        name = constant_text(node.slice)
        found: list[ast.expr] = []
        for holder in self._values(node.value, depth + 1):
            if isinstance(holder, ast.Dict):
                found += [v for k, v in zip(holder.keys, holder.values) if k is not None and constant_text(k) == name]
            elif isinstance(holder, ast.Call) and last_name(holder.func) == "dict":
                found += [k.value for k in holder.keywords if k.arg == name]
        return found

    def _from_returns(self, function: Function, want: _Want, depth: int) -> None:
        if isinstance(function, ast.Lambda):
            self.demand(function.body, want, depth)
            return
        for part in own_nodes(function):
            if isinstance(part, ast.Return) and part.value is not None:
                self.demand(part.value, want, depth)

    def _from_Call(self, node: ast.Call, want: _Want, depth: int) -> None:
        if self._clock(node, want):
            return
        last = last_name(node.func)
        if self.dotted(node.func) in OTHER_SEEDING | GLOBAL_SEEDING:
            return  # a sink of its own
        if last in _DRAWING:
            self.remark("random", node, node.lineno, f"a seed that is drawn at random: {ast.unparse(node)[:60]}")
            return
        option = self._option(node)
        if option is not None:
            want = replace(want, group=None)
            self.demand(option[1], want, depth)
            if last != "getenv" and "environ" not in ast.unparse(node.func):
                for name in filter(is_seed_name, option[0]):
                    self._from_stored(name, [], want, depth)
            return
        if last in _WRAPPERS:
            self._from_wrapped(node, want, depth)
            return
        functions = self.functions(node.func)
        for function, _skip in functions:
            self._from_returns(function, replace(want, group=None), depth)
        for keyword in node.keywords if not functions else ():
            if keyword.arg == "default":  # attr.ib(default=42), and whatever declares a field likewise
                self.demand(keyword.value, want, depth)

    def _from_wrapped(self, node: ast.Call, want: _Want, depth: int) -> None:
        """`int(…)`, `field(default=…)`: what is inside."""
        for keyword in node.keywords:
            if keyword.arg in ("default", "value"):
                self.demand(keyword.value, want, depth)
            elif keyword.arg == "default_factory" and isinstance(keyword.value, ast.Lambda):
                self.demand(keyword.value.body, want, depth)
        if node.args:
            self.demand(node.args[0], want, depth)

    def _clock(self, node: ast.expr, want: _Want) -> bool:
        """Take an expression that reads the clock as a site: no number is typed, so it counts as no seed."""
        if not self._is_clock(node):
            return False
        self._add(node, want, clock=True)
        return True

    def _is_clock(self, node: ast.expr) -> bool:
        """A clock, or a computation from one and numbers alone."""
        if isinstance(node, ast.Call):
            if self.dotted(node.func) in CLOCKS:
                return True
            if last_name(node.func) in ("int", "round", "abs", "hash", "str", "float"):
                return len(node.args) == 1 and self._is_clock(node.args[0])
            return isinstance(node.func, ast.Attribute) and not node.args and self._is_clock(node.func.value)
        if isinstance(node, ast.Attribute):
            return self._is_clock(node.value)
        if isinstance(node, ast.BinOp):
            sides = (node.left, node.right)
            clocks = [self._is_clock(side) for side in sides]
            return any(clocks) and all(
                clock or isinstance(side, ast.Constant) or literal_number(side) is not None
                for side, clock in zip(sides, clocks)
            )
        return False

    def _add(self, node: ast.expr, want: _Want, clock: bool = False) -> None:
        key = self.source_key(node)
        scope: Scope | None = getattr(node, "_scope", None)
        if key is None or scope is None:
            return
        module = scope.module
        old = module.slice(node)
        if old is None or not is_same_text(old, node, clock):
            return  # in an f-string of an older Python, or over several lines
        self.found = True
        number = None if clock else self._literal(node)
        overridden = want.overridden or self._gives_way(node)
        rank = 2 if overridden else 0 if want.sink.is_global else 1
        order = (rank, *want.order)
        site = self.sites.get(key)
        if site is None:
            site = self.sites[key] = Site(
                module.path,
                node.lineno,
                node.col_offset,
                node.end_col_offset or 0,
                old.decode(),
                number,
                want.sink.where,
            )
            site.order = (9,)
            site.weak = want.sink.weak
        site.weak = site.weak and want.sink.weak
        if order < site.order:
            site.order = order
            site.where = want.sink.where
            site.overridden = overridden
        site.reaches_global = site.reaches_global or (want.sink.is_global and not overridden)
        if want.group is not None and want.group not in site.group:
            site.group.append(want.group)
        self.touched.setdefault(id(want.sink.value), set()).add(key)
        if node is not want.sink.value:
            self.reached.setdefault(key, set()).add(id(want.sink.value))

    # --- what divides the data, and texts that repeat the number ---------------------------------------------------

    def _split_uses(self) -> list[Use]:
        """The seeds that reach a call which divides data; a site that does nothing else belongs to `split`."""
        uses: list[Use] = []
        dividing: set[int] = set()
        for value, scope, _name in self.split_values:
            self.seen, before = set(), set(self.sites)
            inner = [sink for sink in self.sinks if any(part is sink.value for part in ast.walk(value))]
            if isinstance(value, ast.Name):  # a generator made before: random_split(…, generator=g)
                for binding in self.bindings(value):
                    if isinstance(binding.node, ast.Call) and binding.kind == "value":
                        inner += [s for s in self.sinks if any(part is s.value for part in ast.walk(binding.node))]
            direct = [sink for sink in self.sinks if sink.value is value]
            for sink in inner or direct:
                self.seen = set()
                self.touched.pop(id(sink.value), None)
                self.demand(sink.value, _Want(sink, (10**9,), overridden=True))
                keys = self.touched.get(id(sink.value), set())
                assert set(self.sites) == before
                old = scope.module.slice(sink.value)
                dividing.add(id(sink.value))
                if not keys or old is None:
                    continue
                for key in keys:
                    if (sink.value._scope.module.path, sink.value.lineno, sink.value.col_offset) == key:  # type: ignore[attr-defined]
                        self.sites[key].source = "split"
                numbers = sorted({n for n in (self.sites[k].number for k in keys) if n is not None})
                uses.append(
                    Use(
                        scope.module.path,
                        sink.value.lineno,
                        sink.value.col_offset,
                        sink.value.end_col_offset or 0,
                        old.decode(),
                        [f"{k[0]}:{k[1]}:{k[2]}" for k in sorted(keys)],
                        numbers,
                    )
                )
        for key, values in self.reached.items():
            if values <= dividing:
                self.sites[key].source = "split"
        return uses

    def _meanings(self) -> None:
        """Mark the sites whose typed number is one that the script asks for: `--hparams_seed 0` where 0 means the defaults."""
        for test in self.tests:
            value = test.left if isinstance(test, ast.Compare) else test
            before = dict(self.sites)
            self.seen = set()
            sink = _Sink(value, "", 10**9, False)
            self.demand(value, _Want(sink, (10**9,), overridden=True))
            keys = self.touched.pop(id(value), set())
            self.sites = before  # what stands there is no site unless it is one otherwise
            for site in (before[key] for key in keys if key in before):
                site.special = site.special or (site.number is not None and is_asked_for(test, site.number))

    def _opened(self) -> None:
        """Files that are read as text, as in `exec(open("config.py").read())`: no seed is placed in them, so say so."""
        for path in sorted(self.source.opened):
            try:
                inside = find_sites(Source(read_module(path, "__main__", ""), []))
            except (SyntaxError, OSError, ValueError, RecursionError):
                continue
            for site in inside.sites:
                text = f"the script reads this file as text, so the seed {site.old} stays as typed; import the file instead"
                self.remarks.setdefault(("as text", path, site.line), Remark("as text", path, site.line, text))

    def _mentions(self) -> None:
        """Texts that name a seed and repeat its number, such as file names, will go on saying the typed one."""
        numbers = {str(site.number) for site in self.sites.values() if site.number is not None}
        for module in self.modules:
            for node in ast.walk(module.tree):
                text = constant_text(node)
                if text == "SEEDWISE_SEED":
                    self.remark("environment", node, node.lineno, "reads SEEDWISE_SEED itself")  # type: ignore[attr-defined]
                if not text or "seed" not in text.lower():
                    continue
                for number in numbers:
                    if re.search(rf"seed\w*?\W{{0,3}}{re.escape(number)}(?!\d)", text, re.IGNORECASE):
                        shown = text if len(text) < 50 else text[:47] + "…"
                        self.remark("text", node, node.lineno, f"still says {number}: {shown!r}")  # type: ignore[attr-defined]


def _seed_given_to(node: ast.Call) -> ast.expr | None:
    """What a seeding call is given: its first argument, or the keyword that is a seed."""
    if node.args and not isinstance(node.args[0], ast.Starred):
        return node.args[0]
    for keyword in node.keywords:
        if keyword.arg and (is_seed_name(keyword.arg) or keyword.arg in ("a", "x", "key", "entropy")):
            return keyword.value
    return None
