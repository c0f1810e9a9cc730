"""Signatures in the reference: as they are written in the source."""

import ast
import copy

from sphinx.application import Sphinx

from .defined import definition_of


def signature_as_typed(
    _app: Sphinx, what: str, name: str, _obj: object, _options: object, signature: str | None, returned: str | None
) -> tuple[str | None, str | None]:
    """The signature as it is written in the source: `ScoresLike`, not the eight types that it stands for.

    A class whose docstring has no parameters is one that users are given, and do not make: it has no signature.
    """
    found = _definition(name) if what in ("class", "function", "method") else None
    if isinstance(found, ast.ClassDef):
        made_by_users = "\nParameters\n" in (ast.get_docstring(found) or "")
        return (signature if made_by_users else ""), None
    if not isinstance(found, ast.FunctionDef):
        return signature, returned
    shown = _Unquoted().visit(copy.deepcopy(found))
    given = [*shown.args.posonlyargs, *shown.args.args]
    if what == "method" and given and given[0].arg in ("self", "cls"):
        (shown.args.posonlyargs or shown.args.args).pop(0)
    return f"({ast.unparse(shown.args)})", ast.unparse(shown.returns) if shown.returns else None


class _Unquoted(ast.NodeTransformer):
    """Annotations without the quotes that keep a library from being loaded."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = _unquoted(node.annotation)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = _unquoted(node.returns)
        node.args = self.visit(node.args)
        return node


def _unquoted(annotation: ast.expr | None) -> ast.expr | None:
    text = "" if annotation is None else ast.unparse(annotation)
    if annotation is None or "Literal" in text:
        return annotation
    return ast.parse(text.replace("'", "").replace('"', ""), mode="eval").body


def _definition(name: str) -> ast.stmt | None:
    """The definition of a public name, or of a method of a public class; None for anything else."""
    try:
        return definition_of(name)
    except LookupError:
        pass
    owner, _, method = name.rpartition(".")
    try:
        found = definition_of(owner)
    except LookupError:
        return None
    own = [node for node in found.body if isinstance(node, ast.FunctionDef) and node.name == method]
    return own[-1] if own else None
