"""Grids: what is typed, the names of the experiments, and which names are a family."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.errors import UsageError
from seedwise.experiments.grids import check_places, family_named, named, placed, read_grid, settings_of, split_values
from seedwise.experiments.names import LONGEST, is_name
from seedwise.wording import at_command_line


def test_all_combinations_the_last_changing_fastest() -> None:
    assert read_grid(["lr=0.1,0.2", "act=relu,tanh"]).settings() == [
        {"lr": "0.1", "act": "relu"},
        {"lr": "0.1", "act": "tanh"},
        {"lr": "0.2", "act": "relu"},
        {"lr": "0.2", "act": "tanh"},
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1,2", ("1", "2")),
        ("[1,2],[3]", ("[1,2]", "[3]")),
        ("(1, 2), 3", ("(1, 2)", "3")),
        ("'a,b',c", ("'a,b'", "c")),
        ('{"a": 1, "b": 2}', ('{"a": 1, "b": 2}',)),
        ("", ("",)),
    ],
)
def test_a_comma_inside_brackets_separates_nothing(text: str, parts: tuple[str, ...]) -> None:
    assert split_values(text) == parts


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["lr"], "takes NAME=VALUE,VALUE"),
        (["lr="], "takes NAME=VALUE,VALUE"),
        (["lr=1,,2"], "takes NAME=VALUE,VALUE"),
        (["l r=1"], "takes NAME=VALUE,VALUE"),
        (["seed=1,2"], "--seeds"),
        (["lr=1", "lr=2"], "stands twice"),
        (["lr=1,1"], "the value 1 stands twice"),
        (["a=" + ",".join(map(str, range(101))), "b=" + ",".join(map(str, range(101)))], "10201 combinations"),
    ],
)
def test_a_grid_that_is_none(texts: list[str], said: str) -> None:
    with at_command_line(), pytest.raises(UsageError, match=said):
        read_grid(texts)


def test_settings_are_placed_in_the_words_of_a_script_and_behind_a_function() -> None:
    setting = {"lr": "0.1"}
    assert placed(("python", "t.py", "--lr={lr}", "{seed}", "{x}"), setting) == (
        "python",
        "t.py",
        "--lr=0.1",
        "{seed}",
        "{x}",
    )
    assert placed(("t.py:train", "--set", "a=1"), setting) == ("t.py:train", "--set", "a=1", "--set", "lr=0.1")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("python", "t.py"), "the command has no {lr}: write it where the value goes, such as --lr {lr}"),
        (("python", "t.py", "{lr}", "{wd}"), "{wd} in the command has no values"),
        (("python", "t.py", "{LR}"), "it has {LR}; write {lr} there"),
    ],
)
def test_every_name_has_a_place_and_every_place_a_name(words: tuple[str, ...], said: str) -> None:
    with at_command_line(), pytest.raises(UsageError) as caught:
        check_places(words, read_grid(["lr=1,2"]))
    assert said in str(caught.value)
    check_places(("python", "t.py", "{lr}", "--seed", "{seed}"), read_grid(["lr=1,2"]))


@given(st.dictionaries(st.from_regex(r"[a-z_]\w{0,12}", fullmatch=True), st.text(min_size=1), min_size=1, max_size=8))
def test_every_setting_has_a_name_that_a_folder_can_have(setting: dict[str, str]) -> None:
    name = named("train", setting)
    assert is_name(name)
    assert len(name) <= LONGEST
    assert "/" not in name
    assert name == named("train", setting)


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_values_never_share_a_name(a: str, b: str) -> None:
    assert (named("train", {"x": a}) == named("train", {"x": b})) == (a == b)


def test_a_name_says_its_settings() -> None:
    setting = {"lr": "1e-3", "model": "resnet_18"}
    assert settings_of(named("train", setting)) == setting
    assert settings_of(named("train", setting) + "@2") == setting
    assert settings_of("train") == {}


def test_a_family_is_named_by_its_beginning_or_by_a_pattern() -> None:
    names = ["train lr=1", "train lr=2", "train lr=2 wd=0", "trainer lr=1", "base"]
    assert family_named("train", names) == names[:3]
    assert family_named("train lr=2*", names) == names[1:3]
    assert family_named("*", names) == names
    assert family_named("base", names) == []
    assert family_named("train", ["train", *names]) == []  # an experiment of that name is meant
    assert family_named("tra", names) == []
