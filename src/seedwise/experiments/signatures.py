"""Whether a function can be called as asked, seen from its file or its signature before anything is run."""

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from seedwise_guest.protocol import is_seed_name, later_seed

from ..errors import ScriptError, UsageError
from ..typos import did_you_mean
from ..wording import is_at_command_line


@dataclass(frozen=True)
class Takes:
    """What a function takes beside the seed."""

    seed: str
    """The argument that receives the seed: one that is named so, or the first; "" if there is none."""
    default: str
    """The default of a first argument that receives the seed though its name says nothing of one; "" without."""
    names: tuple[str, ...]
    """Its settings by name."""
    needed: tuple[str, ...]
    """Those without a default."""
    any: bool
    """Whether it takes settings of any name."""


def settings_of(config: object) -> dict[str, object]:
    """The settings of a function, by name. Raises UsageError for what is no dict."""
    if config is None:
        return {}
    if not isinstance(config, Mapping):
        raise UsageError(f"config is a dict of the function's settings, {{'lr': 0.1}}; got {config!r:.60}")
    return dict(config)


def check_call(function: Callable[..., object], config: Mapping[str, object]) -> None:
    """Check that `function(seed, **config)` fits its signature. Raises UsageError."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C
        return
    name = getattr(function, "__qualname__", None) or type(function).__name__
    if inspect.iscoroutinefunction(function):
        raise UsageError(_is_async(name))
    _check(name, _of_signature(signature), list(config))


def check_call_in_file(path: str, name: str, settings: Sequence[str]) -> None:
    """Check that a file has this function, and that it takes these settings. Nothing of the file is run.

    Where the source alone cannot tell (decorators, star imports, names that are made while the file runs), nothing
    is refused.

    Raises
    ------
    ScriptError
        The file cannot be read, or has a syntax error.
    UsageError
        There is no such function, or it does not take these settings. The message says what was meant.
    """
    try:
        with open(path, "rb") as file:
            tree = ast.parse(file.read(), path)
    except SyntaxError as error:
        raise ScriptError(f"{path}:{error.lineno}: {error.msg}") from None
    except (OSError, ValueError) as error:
        raise ScriptError(f"{path} cannot be read: {error}") from None
    first, _, rest = name.partition(".")
    bound = dict(_bound(tree.body))
    if first not in bound:
        if _makes_names(tree):
            return
        functions = [n for n, node in bound.items() if isinstance(node, ast.FunctionDef)]
        meant = did_you_mean(first, functions)
        there = f"; it has {', '.join(functions[:8])}" if functions else "; it has none"
        raise UsageError(f"{path} has no function {first}{meant or there}")
    found = bound[first]
    if isinstance(found, ast.ClassDef) and rest.isidentifier() and not (found.bases or found.decorator_list):
        methods = dict(_bound(found.body))
        if rest not in methods:
            raise UsageError(f"{first} in {path} has no {rest}{did_you_mean(rest, methods)}")
    if isinstance(found, ast.Constant) and not rest:
        raise UsageError(f"{first} in {path} is not a function: it is {found.value!r:.40}")
    if isinstance(found, ast.AsyncFunctionDef):
        raise UsageError(_is_async(name))
    if isinstance(found, ast.FunctionDef) and not rest and not found.decorator_list:
        _check(name, takes_of(found), settings)


def _check(name: str, takes: Takes, settings: Sequence[str]) -> None:
    """Raises UsageError, which names the function, for what does not fit."""
    if not takes.seed:
        raise UsageError(f"{name} takes no argument: the first one receives the seed, def {name}(seed)")
    if takes.seed in settings and is_seed_name(takes.seed):
        raise UsageError(
            f"{name} receives the seed as {takes.seed}, so that it stands among the seeds, and not among the settings"
        )
    if takes.default or takes.seed in settings:
        default = f"={takes.default}" if takes.default else ""
        raise UsageError(
            f"{name} has no argument that is called a seed, and its first is {takes.seed}{default}: "
            f"add one, def {name}(seed, {takes.seed}{default})"
        )
    for setting in settings if not takes.any else ():
        if setting not in takes.names:
            meant = did_you_mean(setting, takes.names)
            there = f"; it takes {', '.join(takes.names)}" if takes.names else "; it takes none but the seed"
            raise UsageError(f"{name} has no setting {setting}{meant or there}")
    lacking = [setting for setting in takes.needed if setting not in settings]
    if lacking:
        in_python = ", ".join(f"'{setting}': …" for setting in lacking)
        given = (
            " ".join(f"--set {setting}=…" for setting in lacking) if is_at_command_line() else f"config={{{in_python}}}"
        )
        raise UsageError(f"{name} needs {', '.join(lacking)} beside the seed: {given}")


def _of_signature(signature: inspect.Signature) -> Takes:
    kinds = inspect.Parameter
    every = list(signature.parameters.values())
    by_position = [p for p in every if p.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD)]
    named = {
        p.name: "" if p.default is kinds.empty else repr(p.default)
        for p in every
        if p.kind in (kinds.POSITIONAL_OR_KEYWORD, kinds.KEYWORD_ONLY)
    }
    first = by_position[0] if by_position else None
    return _takes(
        None if first is None else (first.name, "" if first.default is kinds.empty else repr(first.default)),
        named,
        any(p.kind is kinds.VAR_POSITIONAL for p in every),
        any(p.kind is kinds.VAR_KEYWORD for p in every),
    )


def takes_of(node: ast.FunctionDef) -> Takes:
    """What a function takes, from its definition."""
    arguments = node.args
    by_position = [*arguments.posonlyargs, *arguments.args]
    defaults = [None] * (len(by_position) - len(arguments.defaults)) + list(arguments.defaults)
    texts = {a.arg: "" if d is None else ast.unparse(d) for a, d in zip(by_position, defaults, strict=True)}
    only = {
        a.arg: "" if d is None else ast.unparse(d)
        for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
    }
    first = by_position[0].arg if by_position else None
    return _takes(
        None if first is None else (first, texts[first]),
        {**{a.arg: texts[a.arg] for a in arguments.args}, **only},
        arguments.vararg is not None,
        arguments.kwarg is not None,
    )


def _takes(first: tuple[str, str] | None, named: Mapping[str, str], more: bool, any: bool) -> Takes:
    """What a function takes.

    Parameters
    ----------
    first
        Name and default ("" without) of the first argument that can be given by position.
    named
        The arguments that can be given by name, with their defaults.
    more, any
        Whether it takes more arguments by position, and by any name.
    """
    seed = later_seed(first and first[0], list(named))
    default = ""
    if seed is None and first is not None:
        seed, default = first[0], "" if is_seed_name(first[0]) else first[1]
    names = {name: text for name, text in named.items() if name != seed}
    return Takes(
        seed or ("*" if more else ""),
        "" if default == "None" else default,
        tuple(names),
        tuple(name for name, text in names.items() if not text),
        any,
    )


def _bound(body: Sequence[ast.stmt]) -> Iterator[tuple[str, ast.AST]]:
    """The names that the statements of a file bind, with what binds them."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            for alias in node.names:
                yield (alias.asname or alias.name.partition(".")[0]), node
            continue
        if isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
            yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
            continue
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                yield inner.id, inner
            elif inner is not node and isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield inner.name, ast.Pass()  # one of several definitions: nobody knows which counts
            elif isinstance(inner, ast.Import | ast.ImportFrom):
                for alias in inner.names:
                    yield (alias.asname or alias.name.partition(".")[0]), inner


def _makes_names(tree: ast.Module) -> bool:
    """Whether the file may have names that do not stand in it as such."""
    return any(
        (isinstance(node, ast.ImportFrom) and any(alias.name == "*" for alias in node.names))
        or (isinstance(node, ast.Name) and node.id in ("globals", "exec", "setattr", "vars", "__getattr__"))
        or (isinstance(node, ast.FunctionDef) and node.name == "__getattr__")
        or isinstance(node, ast.Global)
        for node in ast.walk(tree)
    )


def _is_async(name: str) -> str:
    return f"{name} is async, so that calling it gives no number: name a plain function, such as one that calls asyncio.run({name}(…))"
