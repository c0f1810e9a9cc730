"""What Sphinx is told about our pages: which language an indented block is in, and how docstrings mark code."""

import ast
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform

from .python_pages import public
from .signatures import signature_as_typed

_TYPED = re.compile(
    r"( *#|\$ |( *)((seedwise|make|pip|uv|pipx|python|git|eval|for|cd|docker|apt|scancel|sbatch|squeue) |done$))"
)


class Languages(SphinxTransform):
    """Colours for blocks whose language nobody named: Python where it is Python, a shell where a command is typed."""

    default_priority = 400

    def apply(self, **_: Any) -> None:
        """Name the language of each such block."""
        for block in self.document.findall(nodes.literal_block):
            if block.get("language", "none") in ("none", "default"):
                block["language"] = language_of(block.astext())


def language_of(text: str) -> str:
    """`python`, `console` or `none`, from how a block begins and whether Python can read it."""
    lines = [line for line in text.splitlines() if line.strip()]
    if text.startswith("$ "):
        return "console"
    if all(_TYPED.match(line) for line in lines) and not lines[0].startswith("#"):
        return "bash"
    if not re.search(r"[=(]|^(import|from) ", text, re.MULTILINE):
        return "none"
    try:
        ast.parse(text)
    except SyntaxError:
        return "none"
    return "python"


def code_as_rst(_app: Sphinx, _what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """In our docstrings an indented block behind a colon is code, as in Markdown; in Sphinx two colons say so."""
    for k in range(len(lines) - 2):
        here, blank, code = lines[k : k + 3]
        indent = len(here) - len(here.lstrip())
        if here.endswith(":") and not here.endswith("::") and not blank.strip() and code.startswith(" " * (indent + 4)):
            lines[k] = here + ":"


def fields_apart(_app: Sphinx, _what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """`name, key` with one text for both, among attributes, becomes two entries. For parameters napoleon does it itself."""
    section, k = "", 0
    while k + 1 < len(lines):
        if re.fullmatch(r"-{4,}", lines[k + 1]):
            section = lines[k]
        elif section == "Attributes" and re.fullmatch(r"\w+(, \w+)+", lines[k]):
            names = lines[k].split(", ")
            end = next((j for j in range(k + 1, len(lines)) if lines[j][:1] not in ("", " ")), len(lines))
            said = [line for line in lines[k + 1 : end] if line.strip()]
            entries = [line for name in names for line in (name, *said)]
            lines[k:end] = [*entries, *([""] if end < len(lines) and not lines[end - 1].strip() else [])]
            k += len(entries) - 1
        k += 1


def types_short(_app: Sphinx, _what: str, _name: str, _obj: object, _options: object, lines: list[str]) -> None:
    """`Sequence[Run]` for `collections.abc.Sequence[seedwise.results.Run]`."""
    for k, line in enumerate(lines):
        if line.startswith(":vartype "):
            lines[k] = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", line)


def name_or_code(
    _role: str, source: str, text: str, _line: int, _inliner: object, _options: object = None, _content: object = None
) -> tuple[list[nodes.Node], list[nodes.system_message]]:
    """What stands between single backticks: a link where it is one of our names, or code. A lower-case word alone is code."""
    bare = text.removesuffix("()").removeprefix("sw.")
    code = nodes.literal(source, text)
    if bare not in _names() or (text.islower() and text.isalpha()):
        return [code], []
    target = {"refdomain": "py", "reftype": "obj", "reftarget": _names()[bare], "refexplicit": True, "refwarn": False}
    return [addnodes.pending_xref(source, code, **target)], []


@cache
def _names() -> Mapping[str, str]:
    return {
        name.rpartition(".")[2]: name for names in public().values() for name in names if "integrations" not in name
    }


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls this."""
    app.add_transform(Languages)
    app.add_role("name_or_code", name_or_code)
    app.connect("autodoc-process-docstring", code_as_rst, priority=100)
    app.connect("autodoc-process-docstring", fields_apart, priority=101)
    app.connect("autodoc-process-docstring", types_short, priority=900)
    app.connect("autodoc-process-signature", signature_as_typed)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
