"""Numbers as people and programs write them: read right, or refused with the cell named."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import seedwise as sw
from seedwise.api.tables import read_scores
from seedwise.cli.start import start
from seedwise.errors import MetricError, SeedwiseError, UsageError
from seedwise.tables.cells import exact, read_cells


def scores(path: Path, text: str, *metric: str) -> dict[int, float]:
    file = path / "x.csv"
    file.write_text(text)
    return dict(read_scores(str(file), metric).scores(metric[0] if metric else None).by_seed)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("seed;acc\n1;0,93\n2;0,94\n", {1: 0.93, 2: 0.94}),
        ("seed;acc\n1;1.234,5\n2;17,25\n", {1: 1234.5, 2: 17.25}),
        ("seed\tacc\n1\t0,93\n2\t0,94\n", {1: 0.93, 2: 0.94}),
        ('seed,acc\n1,"1,234.5"\n2,"12,234,567"\n', {1: 1234.5, 2: 12234567.0}),
        ("seed,acc\n1,80%\n2,81.5 %\n", {1: 80.0, 2: 81.5}),
        ("seed,solved\n1,True\n2,False\n", {1: 1.0, 2: 0.0}),
        ("seed,acc\n1,np.float64(0.5)\n2,tensor(-0.25)\n", {1: 0.5, 2: -0.25}),
        ("seed,acc\n1,\"tensor(0.5000, device='cuda:0')\"\n2,array(1e-3)\n", {1: 0.5, 2: 0.001}),
        ("seed,acc\n1,−0.5\n2,+0.5\n", {1: -0.5, 2: 0.5}),
        ("seed,acc\n1, 0.5 \n2,.5\n", {1: 0.5, 2: 0.5}),
        ("seed,loss\n1,1e-3\n2,2E3\n", {1: 0.001, 2: 2000.0}),
        ("sep=;\nseed;acc\n1;0,93\n2;0,94\n", {1: 0.93, 2: 0.94}),
        ("\ufeffseed,acc\r\n1,0.5\r\n\r\n2,0.6\r\n,\r\n", {1: 0.5, 2: 0.6}),
        ('seed,acc,note\n1,0.5,"a\nb, c"\n2,0.6,\n', {1: 0.5, 2: 0.6}),
        (",seed,acc\n0,1,0.5\n1,2,0.6\n", {1: 0.5, 2: 0.6}),
    ],
)
def test_numbers_are_read_as_they_were_meant(text: str, wanted: dict[int, float], tmp_path: Path) -> None:
    assert scores(tmp_path, text) == wanted


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('seed,acc\n1,"1,234"\n2,"2,345"\n', "x.csv:2: acc is '1,234', whose comma may be"),
        ("seed;acc\n1;0,93\n2;0.94\n", "x.csv:3: acc is '0.94', with a point"),
        ("seed,acc\n1,80%\n2,81%\n3,0.8\n", "x.csv:4: acc is '0.8', %"),
        ("seed,acc\n1,True\n2,0.9\n3,0.8\n", "x.csv:2: acc is 'True', true or false"),
        ("seed,acc\n1,0.9\n2,diverged\n3,0.8\n", "x.csv:3: acc is 'diverged', which is no number"),
        ("seed,acc\n1,0.9\n2,0.8 ± 0.1\n3,0.8\n", "x.csv:3: acc is '0.8 ± 0.1'"),
        ("seed,acc\n1,0.9\n2,1e400\n", "x.csv:3: acc is '1e400', which is too large"),
        ("seed,acc\n1,0.9\n2,1e-400\n", "x.csv:3: acc is '1e-400', which is too small"),
        ("seed,acc\n1,1e300\n2,2e300\n", "x.csv:3: acc is 2e.300, whose square"),
        ("seed,acc\n1,1e-300\n2,2e-300\n", "x.csv:3: acc is at most 2e-300, whose square is 0"),
        ("seed,acc\n,0.9\n2,0.8\n", "x.csv:2: the seed .seed. is missing"),
        ("seed,acc\nabc,0.9\n2,0.8\n", "x.csv:2: the seed 'abc' is not an integer"),
        ("seed,acc\n1e17,0.9\n2,0.8\n", "x.csv:2: the seed 1e17 was written as a float"),
        ("seed,acc\n1,\n2,\n", "columns are seed, acc"),
        ("seed,acc\n", "no rows below its header"),
        ("1,0.9\n2,0.8\n", "the first line holds numbers"),
        ("seed,acc,acc\n1,2,3\n", "'acc' stands twice"),
    ],
)
def test_what_cannot_be_read_names_its_cell_and_exits_with_2(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match=said):
        scores(tmp_path, text)
    assert start(["summarize", str(tmp_path / "x.csv")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "Traceback" not in error


def test_the_place_is_that_in_the_file_whatever_stands_before(tmp_path: Path) -> None:
    rows = "".join(f"{seed},0.5,\n" for seed in range(50_000))
    with pytest.raises(UsageError, match=r"x\.csv:50004: acc is 'oops'"):
        scores(tmp_path, f'seed,acc,note\n-1,0.5,"two\nlines"\n{rows}50000,oops,\n')


def test_blanks_are_runs_that_did_not_finish(tmp_path: Path) -> None:
    for blank in ("", "NA", "-", "null"):
        (tmp_path / "x.csv").write_text(f"seed,acc,loss\n1,0.9,1\n2,{blank},\n3,0.8,2\n4,,3\n")
        results = read_scores(str(tmp_path / "x.csv"))
        acc, loss = results.scores("acc"), results.scores("loss")
        assert (dict(acc.by_seed), acc.n) == ({1: 0.9, 3: 0.8}, 4)
        assert (dict(loss.by_seed), loss.n) == ({1: 1, 3: 2, 4: 3}, 4)
        assert [run.seed for run in results.failed] == [2]


def test_a_status_says_which_runs_did_not_finish(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("Name,State,seed,acc\na,finished,1,0.9\nb,crashed,2,0.1\nc,finished,3,0.8\n")
    found = read_scores(str(tmp_path / "x.csv")).scores("acc")
    assert (dict(found.by_seed), found.n) == ({1: 0.9, 3: 0.8}, 3)


def test_large_seeds_do_not_collide(tmp_path: Path) -> None:
    seeds = [2**53, 2**53 + 1, 2**63 + 1, 2**64 + 3]
    text = "seed,acc\n" + "".join(f"{seed},0.{k}\n" for k, seed in enumerate(seeds, 1))
    assert list(scores(tmp_path, text)) == seeds
    assert list(scores(tmp_path, text.replace(",0.1", ",0.1\n7,"), "acc")) == seeds


def test_a_name_that_looks_like_a_number_stays_a_name(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("lr,seed,acc\n0.10,1,0.9\n0.1,1,0.8\n1_0,1,0.7\n")
    assert start(["summarize", str(tmp_path / "x.csv"), "--by", "lr"]) == 0


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_what_python_writes_is_read_back_bit_by_bit(numbers: list[float]) -> None:
    assert read_cells([repr(number) for number in numbers]).values.tolist() == numbers


@given(st.integers())
def test_whole_numbers_are_exact(number: int) -> None:
    assert exact(str(number)) == number


@given(st.lists(st.text(alphabet="0123456789.,;-+eE% \nab\"'", max_size=12), max_size=12))
def test_no_text_is_more_than_an_error(tmp_path_factory: pytest.TempPathFactory, lines: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    path.write_text("seed,acc\n" + "\n".join(lines))
    try:
        said, runs = "", len(read_scores(str(path)))
    except SeedwiseError as error:
        said, runs = str(error).strip(), 0
    assert bool(said) != bool(runs)
    assert "\n" not in said


def test_nan_is_a_value_and_no_blank() -> None:
    cells = read_cells(["nan", "", "1"])
    assert math.isnan(cells.values[0])
    assert cells.blank.tolist() == [False, True, False]
    assert np.isnan(cells.values[1])


def test_numbers_whose_squares_overflow_are_refused_in_python_too() -> None:
    for values in ([1e300, 2e300], [1e-300, 2e-300]):
        with pytest.raises(MetricError, match="whose square is"):
            sw.summarize(values)
    assert sw.summarize([0.0, 0.0]).mean == 0


def test_a_whole_number_beyond_floats_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"x\.csv:3: acc is too large"):
        scores(tmp_path, f"seed,acc\n1,2\n2,{10**400}\n")
