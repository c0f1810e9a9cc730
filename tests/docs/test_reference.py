"""The reference: every public name has a word on it, on its parameters and fields, and stands on a page."""

import ast
import sys
from enum import Enum
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.determinism.compare import Verdict
from seedwise.determinism.resuming.answer import Resumed

DOCS = Path(__file__).parents[2] / "docs"
sys.path.insert(0, str(DOCS))

from builder import documented, python_pages, stage  # noqa: E402
from builder.session import differs, steps_of  # noqa: E402


def test_every_public_name_parameter_field_and_option_has_a_word() -> None:
    assert not documented.undocumented()


def test_every_public_name_stands_in_the_reference() -> None:
    text = "\n".join(python_pages.python_pages().values())
    directives = {line.rpartition(":: ")[2] for line in text.splitlines() if line.startswith(".. auto")}
    assert {f"seedwise.{name}" for name in sw.__all__ if name != "batched"} <= directives
    assert {f"seedwise.batched.{name}" for name in sw.batched.__all__} <= directives
    assert {
        f"seedwise.testing.{name}" for name in ("BackendCases", "ExecutorCases", "ProcessCases", "StoreCases")
    } <= directives
    bridges = [path.stem for path in (DOCS.parent / "src/seedwise/integrations").glob("[!_]*.py")]
    assert len(bridges) > 8
    assert all(any(name.startswith(f"seedwise.integrations.{bridge}.") for name in directives) for bridge in bridges)


def test_every_page_stands_in_the_contents() -> None:
    named = [page for pages in stage.sections((DOCS / "README.md").read_text()).values() for page in pages]
    assert sorted(page for page in named if "/" not in page) == sorted(
        path.name for path in DOCS.glob("*.md") if path.name != "README.md"
    )


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("def shown(a):\n    '''Says it.\n\n    `a` is said.\n    '''\n", None),
        ("def shown(a, b):\n    '''Says it.\n\n    `a` is said.\n    '''\n", "its parameter b"),
        ("def shown():\n    return 1\n", "has no docstring"),
        ("class shown:\n    '''Says it.'''\n    a: int\n    '''This.'''\n    b: int\n", "its field b"),
        (
            "def shown():\n    '''Says it.\n\n    Raises\n    ------\n    Error\n        Ever.\n\n    Call it.\n    '''\n",
            "Call it.",
        ),
        ("class shown:\n    '''Says it.'''\n    def method(self): ...\n", "method has no docstring"),
    ],
)
def test_what_nobody_described_is_named(text: str, fault: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documented, "definition_of", lambda _: ast.parse(text).body[0])
    found = list(documented._of_name("seedwise.shown"))
    assert len(found) == (fault is not None)
    assert fault is None or fault in found[0]


def test_a_page_that_shows_other_output_than_what_was_printed_is_found() -> None:
    page = "```console\n$ seedwise list\nname  mean\n…\nlast in 3.2 s\n```\n"
    (step,) = steps_of(page)
    assert step.words == ("seedwise", "list")
    assert differs(step.shown, "name  mean\none\ntwo\nlast in 9.9 s\n") is None
    assert differs(step.shown, "name  mean\nlast in 9.9 s\n") is None
    assert differs(step.shown, "name  mean\none\nlast in a while\n")
    assert differs(step.shown, "first\nname  mean\nlast in 9.9 s\n")


@pytest.mark.parametrize(
    "words", [sw.Status, sw.State, sw.Decision, sw.Goal, Verdict, Resumed], ids=lambda words: words.__name__
)
def test_words_with_fixed_values_stand_in_the_glossary(words: type[Enum]) -> None:
    page = (DOCS / "glossary.md").read_text()
    assert [word.value for word in words if f"`{word.value}`" not in page] == []
