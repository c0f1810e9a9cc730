"""Whose words are whose: from the first word that starts a command on, all are the user's."""

from pathlib import Path

import pytest

import seedwise as sw
from seedwise.cli.users_words import marked
from seedwise.cli.which_seeds import Which
from seedwise.errors import UsageError
from seedwise.experiments.command import words_of
from seedwise.results import parse_seeds
from seedwise.wording import at_command_line, either_goal, option, switched_on


@pytest.fixture(autouse=True)
def commands() -> None:
    from seedwise.cli import check, run, stored  # noqa: F401


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("run -n 3 python train.py --name foo --lr 0.1", "run -n 3 -- python train.py --name foo --lr 0.1"),
        ("run -n3 -j2 --name=a --fresh python t.py -n 9", "run -n3 -j2 --name=a --fresh -- python t.py -n 9"),
        ("run -n 3 --metric acc --metric loss python t.py", "run -n 3 --metric acc --metric loss -- python t.py"),
        ("run -n 3 -- python t.py -- -n 9", "run -n 3 -- python t.py -- -n 9"),
        ("run -n 3 python t.py -- -n 9", "run -n 3 -- python t.py -- -n 9"),
        ("run -n -3 python t.py", "run -n -3 -- python t.py"),
        ("run -n 3 t.py:f --set lr=1 --fresh", "run -n 3 t.py:f --set lr=1 --fresh"),
        ("run t.py:f -n 3", "run t.py:f -n 3"),
        ("check --rtol 1e-3 python t.py --json", "check --rtol 1e-3 -- python t.py --json"),
        ("sites t.py --json", "sites t.py --json"),
        ("sites python t.py --json", "sites -- python t.py --json"),
        ("show base --metric acc", "show base --metric acc"),
        ("run --help", "run --help"),
        ("run -n 3", "run -n 3"),
        ("", ""),
    ],
)
def test_where_the_command_begins(line: str, expected: str) -> None:
    assert marked(line.split()) == expected.split()


def test_an_option_before_the_command_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UsageError, match="did you mean --metric"):
        marked("run -n 3 --metrik acc python t.py".split())


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("1-3", [1, 2, 3]),
        ("1..3", [1, 2, 3]),
        ("1…3".replace("…", "..."), [1, 2, 3]),
        ("0:3", [0, 1, 2]),
        (":3", [0, 1, 2]),
        ("0:10:4", [0, 4, 8]),
        ("7", [7]),
        ("0, 3, 5-6", [0, 3, 5, 6]),
    ],
)
def test_ranges_of_seeds(text: str, seeds: list[int]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["3:1", "0:3:0", "1:", "-3", "1--3", "1.5", "1e3", "x", "", "٣", "0-99999999"])
def test_what_is_no_range_of_seeds_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="seeds"):
        parse_seeds(text)


def test_what_could_be_read_otherwise_is_said_with_the_seeds() -> None:
    assert Which(None, "0:30", None).told() == "seeds 0–29 (0:30 as in Python, without its end)"
    assert Which(None, "1..30", None).told() == "seeds 1–30 (1..30 with both ends)"
    assert Which(None, "30", None).told() == "one seed, 30 (seeds 1 to 30 are -n 30)"
    assert [Which(None, text, None).told() for text in ("1-30", "1", "0,3,5")] == ["", "", ""]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("python train.py", ["python", "train.py"]),
        (["python train.py --title 'a b'"], ["python", "train.py", "--title", "a b"]),
        (["python", "my file.py"], ["python", "my file.py"]),
    ],
)
def test_one_quoted_text_is_a_command(command: str | list[str], words: list[str]) -> None:
    assert list(words_of(command)) == words


@pytest.mark.parametrize("command", ["a && b", "cd x; python t.py", "python t.py > out.txt", "python t.py | tee o"])
def test_a_text_that_needs_a_shell_says_how(command: str) -> None:
    with pytest.raises(UsageError, match=r"\['bash', '-c', "):
        words_of(command)


def test_options_are_named_as_the_reader_types_them() -> None:
    with at_command_line():
        assert option("--timeout 3") == "--timeout 3"
        assert switched_on("--fresh") == "--fresh"
        assert either_goal("acc") == "--metric acc:min or :max"
    assert option("--timeout 3") == "timeout=3"
    assert option("--keep split") == 'keep="split"'
    assert option("--threads 1,2") == "threads=[1, 2]"
    assert option("--vary init,order") == 'vary="init,order"'
    assert either_goal("acc") == 'metric="acc:min" or "acc:max"'
    assert option("--reduce best") == 'reduce="best"'
    assert switched_on("--fresh") == "fresh=True"
    assert option("--as-is") == "`seedwise run --as-is`"


def test_no_message_for_python_has_an_option_of_the_command_line_as_it_is_typed() -> None:
    """An option stands in `option(…)` or the like, or behind `seedwise …`; or it is part of the command itself, as --set is."""
    import ast
    import re

    def is_worded(node: ast.AST, above: dict[ast.AST, ast.AST]) -> bool:
        while node in above:
            child, node = node, above[node]
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("option", "file_option", "switched_on"):
                return True
            if isinstance(node, ast.IfExp | ast.If) and "at_command_line" in ast.unparse(node.test):
                return True
            if isinstance(node, ast.Expr) or (isinstance(node, ast.Dict) and child in node.keys):
                return True  # a docstring; names of options
            if isinstance(node, ast.JoinedStr) and re.search(
                r"seedwise [a-z]|resume|as the script takes it", ast.unparse(node)
            ):
                return True
        return False

    bare = []
    source = Path(str(sw.__file__)).parent
    for path in source.rglob("*.py"):
        inside = str(path.relative_to(source))
        if inside.startswith(("cli", "batched", "demos", "testing", "reports/pictures")) or inside in (
            "api/diagnose_data.py",  # these two read what the command was given, as text
            "api/diagnose_file.py",
            "experiments/functions.py",
            "runs/executors/ray.py",  # words of ray, sbatch and squeue
            "runs/executors/slurm.py",
            "threads.py",
            "words.py",
        ):
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        above = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                typed = re.search(r"(?<![\w-])--[a-z][a-z-]+", node.value)
                if typed and typed[0] != node.value and not is_worded(node, above):
                    bare.append(f"{inside}:{node.lineno} {node.value!r}")
    assert not bare


def test_python_names_every_option_that_a_message_names() -> None:
    import inspect
    import re
    from pathlib import Path

    import seedwise as sw

    source = Path(str(sw.__file__)).parent
    named = {
        name
        for path in source.rglob("*.py")
        for name in re.findall(r"""(?<!file_)option\(f?["']--([a-z-]+)""", path.read_text(encoding="utf-8"))
    }
    with_a_value = {name: option(f"--{name}") for name in named}
    parameters = set(inspect.signature(sw.run_script).parameters) | {"seed", "config"}
    for call in (
        sw.run_grid,
        sw.plan,
        sw.decompose,
        sw.ensemble,
        sw.Results.plot,
        sw.check,
        sw.check_resume_script,
        sw.where,
        sw.compare_tasks,
        sw.plan_sources,
    ):
        parameters |= set(inspect.signature(call).parameters)
    unknown = {
        name for name, said in with_a_value.items() if not said.startswith("`seedwise ") and said not in parameters
    }
    assert not unknown
    assert len(named) > 15
