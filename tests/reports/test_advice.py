"""Every warning is a value that names the next step: nothing else can be one."""

import copy
import dataclasses
import importlib
import inspect
import pickle
import re
import typing
from collections.abc import Iterator
from pathlib import Path

import pytest

import seedwise
from seedwise.advice import Advice
from seedwise.reports.page import Line, warning
from seedwise.results import Summary


def modules() -> Iterator[object]:
    """Those whose text has a field of this name."""
    source = Path(str(seedwise.__file__)).parent
    for path in source.rglob("*.py"):
        if re.search(r"^    (warnings|note): ", path.read_text(encoding="utf-8"), re.MULTILINE):
            yield importlib.import_module(".".join(["seedwise", *path.relative_to(source).with_suffix("").parts]))


def test_a_warning_without_a_next_step_cannot_be_made() -> None:
    for what, step in (("all runs gave the same", " "), ("", "run more seeds")):
        with pytest.raises(ValueError, match="next step"):
            Advice(what, step)


def test_as_text_it_is_what_and_the_next_step_also_after_a_journey() -> None:
    made = Advice("few seeds", "run more")
    assert (made, made.what, made.next_step) == ("few seeds: run more", "few seeds", "run more")
    assert made.about("acc") == "acc: few seeds: run more"
    for travelled in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert (travelled, travelled.next_step) == (made, "run more")
    assert warning(made) == Line("Warning: few seeds: run more.", warning(made).tone, "Warning:")


def test_every_answer_that_has_warnings_has_such_values() -> None:
    found = {}
    for module in modules():
        for name, kind in inspect.getmembers(module, dataclasses.is_dataclass):
            for field in dataclasses.fields(kind):
                if field.name == "warnings" or (kind is Summary and field.name == "note"):
                    hints = typing.get_type_hints(kind, vars(importlib.import_module(kind.__module__)))
                    found[f"{kind.__module__}.{name}.{field.name}"] = str(hints[field.name])
    assert len(found) >= 6
    assert not {where: hint for where, hint in found.items() if "Advice" not in hint}
    assert inspect.signature(warning).parameters["advice"].annotation is Advice
