"""One set of scores in every format gives the same numbers; what is damaged is one line and exit code 2."""

import json
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import seedwise as sw
from seedwise.api.files import read_methods
from seedwise.api.scores import as_scores, as_tasks
from seedwise.api.tables import read_scores
from seedwise.cli.start import start
from seedwise.errors import MetricError, UsageError
from seedwise.tables import parquet

RNG = np.random.default_rng(3)
FRAME = pd.DataFrame({"model": ["A"] * 3 + ["B"] * 3, "seed": [1, 2, 3] * 2, "acc": [0.9, 0.8, 0.7, 0.5, 0.6, 0.55]})
ALONE = FRAME[FRAME["model"] == "A"][["seed", "acc"]]
WANTED = {1: 0.9, 2: 0.8, 3: 0.7}


def _npz(frame: pd.DataFrame, path: str) -> None:
    np.savez(path, **{name: frame[name].to_numpy() for name in frame})


def _structured(frame: pd.DataFrame, path: str) -> None:
    np.save(path, frame.to_records(index=False).astype([("seed", "i8"), ("acc", "f8")]))


WRITERS: dict[str, Callable[[pd.DataFrame, str], None]] = {
    "plain.csv": lambda f, p: f.to_csv(p, index=False),
    "index.csv": lambda f, p: f.to_csv(p),
    "x.tsv": lambda f, p: f.to_csv(p, sep="\t", index=False),
    "german.csv": lambda f, p: f.to_csv(p, sep=";", decimal=",", index=False),
    "utf16.csv": lambda f, p: f.to_csv(p, index=False, encoding="utf-16"),
    "columns.json": lambda f, p: f.to_json(p),
    "records.json": lambda f, p: f.to_json(p, orient="records"),
    "split.json": lambda f, p: f.to_json(p, orient="split"),
    "index.json": lambda f, p: f.to_json(p, orient="index"),
    "table.json": lambda f, p: f.to_json(p, orient="table"),
    "lines.jsonl": lambda f, p: f.to_json(p, orient="records", lines=True),
    "lines.json": lambda f, p: f.to_json(p, orient="records", lines=True),
    "lists.json": lambda f, p: Path(p).write_text(json.dumps(f.to_dict("list"))),  # type: ignore[dict-item,return-value]
    "x.parquet": lambda f, p: f.to_parquet(p),
}
ARRAYS: dict[str, Callable[[pd.DataFrame, str], None]] = {"x.npz": _npz, "x.npy": _structured}


@pytest.mark.parametrize("name", [*WRITERS, *ARRAYS])
def test_the_same_scores_in_every_format(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    {**WRITERS, **ARRAYS}[name](ALONE, path)
    found = read_scores(path).scores("acc")
    assert found.by_seed == pytest.approx(WANTED)
    assert sw.summarize(path, metric="acc").mean == pytest.approx(0.8)


@pytest.mark.parametrize("name", WRITERS)
def test_the_same_methods_in_every_format(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    WRITERS[name](FRAME, path)
    methods = read_methods(path, "model", None).methods
    assert {m: dict(of[""].by_seed) for m, of in methods.items()} == {
        "A": pytest.approx(WANTED),
        "B": pytest.approx({1: 0.5, 2: 0.6, 3: 0.55}),
    }
    assert start(["compare", path, "--by", "model"]) == 0


@pytest.mark.parametrize("name", ["plain.csv", "columns.json", "records.json", "lines.jsonl", "x.parquet"])
def test_a_missing_value_is_k_of_n_in_every_format(name: str, tmp_path: Path) -> None:
    path = str(tmp_path / name)
    frame = ALONE.copy()
    frame.loc[1, "acc"] = None
    WRITERS[name](frame, path)
    found = read_scores(path).scores("acc")
    assert (len(found), found.n) == (2, 3)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.csv", "0.9\n0.8\n0.7\n"),
        ("x.csv", "acc\n0.9\n0.8\n0.7\n"),
        ("x.txt", "0.9\n0.8\n0.7\n"),
        ("scores", "0.9\n0.8\n0.7"),
        ("x.json", "[0.9, 0.8, 0.7]"),
        ("x.json", '{"acc": [0.9, 0.8, 0.7]}'),
        ("x.json", '{"0": 0.9, "1": 0.8, "2": 0.7}'),
    ],
)
def test_a_plain_list_of_numbers_is_a_list_of_runs(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    assert as_scores(str(tmp_path / name)).by_seed == {0: 0.9, 1: 0.8, 2: 0.7}


def _rliable() -> dict[str, np.ndarray]:
    return {"DQN": RNG.random((5, 7)), "IQN": RNG.random((5, 7)) + 1}


@pytest.mark.parametrize("name", ["x.npz", "x.json"])
def test_the_dict_of_rliable_is_runs_by_tasks(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, scores = tmp_path / name, _rliable()
    if name == "x.npz":
        np.savez(path, **scores)
    else:
        path.write_text(json.dumps({m: x.tolist() for m, x in scores.items()}))
    methods = read_methods(str(path), None, None).methods
    assert list(methods) == ["DQN", "IQN"]
    assert [of.values.tolist() for of in methods["DQN"].values()] == scores["DQN"].T.tolist()
    assert start(["compare", str(path), "--metric", "reward:max", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["places"][0]["name"] == "IQN"
    assert start(["summarize", str(path)]) == 0
    assert "DQN, task 0" in capsys.readouterr().out


def test_arrays_in_python_are_runs_by_tasks_too() -> None:
    scores = _rliable()
    found = sw.compare_tasks({name: as_tasks(x) for name, x in scores.items()}, goal="max", resamples=100, rng=0)
    assert len(found.tasks) == 7
    with pytest.raises(UsageError, match="one point of it"):
        as_tasks(RNG.random((2, 3, 4)))


def test_what_a_masked_array_hides_did_not_finish() -> None:
    masked = np.ma.MaskedArray([0.9, 0.0, 0.7], [False, True, False])
    found = as_scores(masked)
    assert (dict(found.by_seed), found.n) == ({0: 0.9, 2: 0.7}, 3)
    tasks = as_tasks(np.ma.MaskedArray([[1.0, 2.0], [3.0, 4.0]], [[False, True], [False, False]]))
    assert [as_scores(of).n for of in tasks.values()] == [2, 2]
    assert [len(as_scores(of)) for of in tasks.values()] == [2, 1]
    frame = pd.DataFrame({"seed": [1, 2], "acc": pd.array([0.5, None], dtype="Float64")})
    assert as_scores(frame).n == 2
    with pytest.raises(MetricError, match="lost its last digits"):
        as_scores({float(2**53): 1.0})


class _Harm:
    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (Path("PWNED"),)


@pytest.mark.parametrize("name", ["x.npy", "x.pkl", "x.npz"])
def test_a_pickle_is_refused_without_running_it(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    if name == "x.npy":
        np.save(name, {"A": _Harm()}, allow_pickle=True)  # type: ignore[arg-type]
    elif name == "x.npz":
        np.savez(name, A=np.array([_Harm()], dtype=object))
    else:
        Path(name).write_bytes(pickle.dumps({"A": _Harm()}))
    assert start(["summarize", name]) == 2
    assert "can run code" in (error := capsys.readouterr().err) or "could run code" in error
    assert not Path("PWNED").exists()


@pytest.mark.parametrize(
    "name", ["x.npy", "x.npz", "x.pkl", "x.parquet", "x.json", "x.jsonl", "x.xlsx", "x.csv", "x.feather"]
)
def test_a_damaged_file_is_one_line_and_exit_2(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for content in (b"", b"\x93NUMPY\x01", b'{"a":', b"PK\x03\x04", b"PAR1\n\nPAR1"):
        (tmp_path / name).write_bytes(content)
        for words in (["summarize"], ["compare"]):
            assert start([*words, str(tmp_path / name)]) == 2
            error = capsys.readouterr().err
            assert error.count("\n") == 1
            assert name in error


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("x.json", '{"A": [0.1, 0.2, "x"], "B": [1, 2, 3]}', "A: number 3 is 'x', which is no number"),
        ("x.json", '{"A": [0.1], "A": [0.2]}', "'A' stands twice"),
        ("x.json", '[{"seed": 1, "acc": 1e400}]', "1e400 is too large"),
        ("x.json", "[[1, 0.9], [2, 0.8]]", "rows without names"),
        ("x.json", '{"A": [[1, 2], [3]]}', "different lengths"),
        ("x.json", '[{"seed": 1, "acc": "high"}, {"seed": 2, "acc": 0.8}]', "row 1: acc is 'high'"),
        ("x.json", "3", "a table is"),
        ("x.jsonl", '{"seed": 1, "acc": 2}\noops\n', "x.jsonl:2: no JSON"),
        ("x.jsonl", '{"seed": 1, "acc": 2}\n[1]\n', "x.jsonl:2: JSON lines hold an object each"),
        ("x.json", '{"A": {"1": 0.5, "x": 0.4}, "B": {"1": 0.5}}', "'x' is neither"),
    ],
)
def test_what_is_wrong_in_json_is_named(name: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UsageError, match=said):
        read_scores(str(tmp_path / name))


def test_without_a_library_for_parquet_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = str(tmp_path / "x.parquet")
    FRAME.to_parquet(path)
    monkeypatch.setattr(parquet, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install pyarrow"):
        read_scores(path)


def test_seeds_as_the_keys_of_json_and_nested_names(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"7": {"acc": 0.5, "time": {"total_s": 3}}, "9": {"acc": 0.6, "time": {"total_s": 4}}}')
    assert dict(read_scores(str(path)).scores("acc").by_seed) == {7: 0.5, 9: 0.6}
    path.write_text(
        '[{"config": {"seed": 18014398509481985}, "eval": {"acc": 0.5}}, {"config": {"seed": 2}, "eval": {"acc": 0.6}}]'
    )
    assert dict(read_scores(str(path)).scores("eval/acc").by_seed) == {2: 0.6, 18014398509481985: 0.5}


def test_seeds_in_an_archive_are_no_method(tmp_path: Path) -> None:
    path = str(tmp_path / "r.npz")
    np.savez(path, seeds=np.arange(1, 6), A=RNG.random(5), B=RNG.random(5))
    assert list(read_scores(path).metrics) == list(read_scores(path).metrics)
    assert "seeds" not in [metric.name for metric in read_scores(path).metrics]


def test_a_state_that_nobody_knows_is_asked_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.csv"
    path.write_text("seed,state,acc\n1,COMPLETED,0.9\n2,OUT_OF_MEMORY,0.1\n3,CANCELLED by 123,0.2\n4,COMPLETED,0.8\n")
    found = read_scores(str(path))
    assert sorted(found.scores("acc").by_seed) == [1, 4]
    path.write_text("seed,state,acc\n1,finished,0.9\n2,finished,0.1\n3,half-way,0.2\n")
    assert start(["summarize", str(path)]) == 2
    assert "'half-way'" in capsys.readouterr().err


def test_names_in_the_encoding_of_excel_stay_apart(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_bytes("model,seed,acc\nGrön,1,0.9\nGrön,2,0.8\nGrün,1,0.5\nGrün,2,0.4\n".encode("cp1252"))
    assert list(read_methods(str(path), "model", None).methods) == ["Grön", "Grün"]


def test_a_size_in_the_name_of_a_run_is_no_seed(tmp_path: Path) -> None:
    path = tmp_path / "w.csv"
    path.write_text('"Step","deit-s8-seed0 - acc","deit-s16-seed0 - acc"\n0,0.5,0.6\n1,0.7,0.8\n')
    assert list(read_methods(str(path), "group", None).methods) == ["deit-s8", "deit-s16"]
