"""A result that is the same, beside which something differs: what counts as the result, and what does not."""

import base64
import gzip
import hashlib
import io
import json
import pickle
import tarfile
import time
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import h5py
import joblib
import numpy as np
import pandas as pd
import pytest

from seedwise.determinism import Trace, Verdict, compare
from seedwise.determinism.lines import row_of
from seedwise.determinism.parts import parts_of
from seedwise.runs.file_contents import digest_of
from seedwise.runs.masks import masked
from seedwise.runs.written_files import contents_of, written
from seedwise.sandbox.worlds import World

CLOCK = {"clock-read": "train.py:1"}
END = "accuracy = 0.875\n"


def trace(text: str = "", files: dict[str, str] | None = None, stderr: str = "", **more: object) -> Trace:
    contents = files or {}
    digests = {path: digest_of(content) for path, content in contents.items()}
    return Trace(0, text, stderr, files=digests, contents=contents, facts=CLOCK, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            {"out.json": '{"digest": "a1b2c3", "folder": "day-28"}'},
            {"out.json": '{"digest": "ffe199", "folder": "day-29"}'},
        ),
        ({"out.json": '{"loss": 0.25, "tries": 3}'}, {"out.json": '{"tries": 4, "loss": 0.25}'}),
        ({"table.csv": "name,loss\na,0.5\nb,0.25\n"}, {"table.csv": "name,loss\nb,0.25\na,0.5\n"}),
        ({"out.json": '{"ms": 0.75, "loss": 0.5}'}, {"out.json": '{"ms": 0.25, "loss": 0.5}'}),
        ({"model.pkl": "folder: 'run/28'\nscale: 0.5"}, {"model.pkl": "folder: 'run/29'\nscale: 0.5"}),
        ({"beats.txt": "alive\nalive\n"}, {}),
        ({"a.html": "x 0.5<p>{'a': 1.5, 'b': 2.5}"}, {"a.html": "x 0.5<p>{'b': 2.5, 'a': 1.5}"}),
    ],
)
def test_words_counts_and_order_in_kept_files_are_beside_the_result(
    ours: dict[str, str], theirs: dict[str, str]
) -> None:
    found = compare(trace(END, ours), trace(END, theirs))
    assert (found.verdict, found.agrees.result) == (Verdict.DIFFERENT, True)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"out.json": '{"loss": 0.25}'}, {"out.json": '{"loss": 0.26}'}),
        ({"model.pkl": "scale: 0.5"}, {"model.pkl": "scale: 0.6"}),
        ({"model.pkl": "digest of bytes " + "a" * 64}, {"model.pkl": "digest of bytes " + "b" * 64}),
        ({"best.json": '{"loss": 0.25}'}, {}),
    ],
)
def test_numbers_and_bytes_in_kept_files_are_the_result(ours: dict[str, str], theirs: dict[str, str]) -> None:
    found = compare(trace(END, ours), trace(END, theirs))
    assert found
    assert not found.agrees.result
    assert not found.agrees.log


def test_a_metric_at_the_end_is_the_result_and_one_that_is_printed_as_time_goes_by_is_not() -> None:
    ours = trace("step 10 loss 0.9\nstep 20 loss 0.7\nstep 30 loss 0.6\nfinal accuracy: 0.875\n")
    theirs = trace("step 12 loss 0.88\nstep 25 loss 0.65\nstep 31 loss 0.59\nstep 40 loss 0.5\nfinal accuracy: 0.875\n")
    assert compare(ours, theirs).agrees.result
    other = trace("step 10 loss 0.9\nstep 20 loss 0.7\nstep 30 loss 0.6\nfinal accuracy: 0.870\n")
    assert not compare(ours, other).agrees.result


@pytest.mark.parametrize("text", ["picked [4, 7, 9]", "saved", "sampled 3 17 22\nseen 100"])
def test_where_no_result_is_seen_nothing_stands_beside_it(text: str) -> None:
    found = compare(trace(text), trace(text.replace("7", "8").replace("saved", "stored")))
    assert found
    assert not found.agrees.result
    assert not found.agrees.log


def test_parameters_that_are_the_same_are_a_result_and_others_are_none() -> None:
    steps = np.array([1, 2], np.uint32)
    ours, theirs = trace("run of 28", steps=steps), trace("run of 29", steps=steps)
    assert compare(ours, theirs, every_word=True).agrees.result
    other = trace("run of 29", steps=steps + 1)
    assert not compare(ours, other, every_word=True).agrees.result


def test_what_is_logged_counts() -> None:
    found = compare(trace(END, logged={"x": (0.5,)}), trace(END, logged={"x": (0.6,)}))
    assert not found.agrees.result


def test_without_a_known_reason_only_lines_with_a_time_may_differ_in_kept_files() -> None:
    ours, theirs = ({"log.jsonl": f'{{"ts": EPOCH, "worker": {k}}}\n', "x.txt": "a\n"} for k in (1, 2))
    assert compare(trace(END, ours), trace(END, theirs)).agrees.log
    words = ({"words.txt": "cat dog\n"}, {"words.txt": "dog cat\n"})
    found = compare(trace(END, words[0]), trace(END, words[1]))
    assert found.agrees.result
    assert not found.agrees.log


def _written(folder: Path) -> dict[str, object]:
    return dict(contents_of(folder))


def test_packed_files_are_compared_by_what_is_packed(tmp_path: Path) -> None:
    found = []
    for day in (1, 2):
        folder = tmp_path / str(day)
        folder.mkdir()
        data = json.dumps({"loss": 0.5}).encode()
        (folder / "a.json.gz").write_bytes(gzip.compress(data, mtime=day))
        with zipfile.ZipFile(folder / "report.xlsx", "w") as archive:
            archive.writestr(zipfile.ZipInfo("sheet.xml", (2026, 11, day, 1, 1, 1)), data)
        with tarfile.open(folder / "all.tar.gz", "w:gz") as tar:
            member = tarfile.TarInfo("weights.pkl")
            model = pickle.dumps([0.5, 0.25])
            member.size, member.mtime = len(model), day
            tar.addfile(member, io.BytesIO(model))
        joblib.dump({"when": f"2026-11-0{day} 10:11:12", "w": np.arange(3.0)}, folder / "packed.joblib", compress=3)
        found.append(_written(folder))
    assert found[0] == found[1]
    assert "w: float64 (3,)" in str(found[0]["packed.joblib"])
    assert found[0]["a.json.gz"] == '{"loss": 0.5}'
    assert "0.25" in str(found[0]["all.tar.gz"])


def test_a_damaged_archive_is_compared_by_its_bytes(tmp_path: Path) -> None:
    for name in ("a.gz", "a.tar", "a.bz2", "a.xz"):
        (tmp_path / name).write_bytes(b"\xff no archive")
    assert all(isinstance(content, bytes) for content in _written(tmp_path).values())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("training time: 3.1 s, final loss 0.8928", "training time: 3.1 s, final loss 0.9179"),
        ("took 3 s: accuracy 0.93", "took 3 s: accuracy 0.94"),
        ("time 3.1 | epoch 5: 0.9312", "time 3.1 | epoch 5: 0.9412"),
        (
            "epoch 0 loss 0.9\nepoch 1 loss 0.8\nepoch 2 loss 0.7\n" + END,
            "epoch 0 loss 0.9\nepoch 1 loss 0.6\nepoch 2 loss 0.5\n" + END,
        ),
        ("loss: 0.25\naccuracy: 93", "loss: 0.25\naccuracy: 90"),
    ],
)
def test_metrics_beside_a_time_at_a_step_and_in_whole_numbers_are_the_result(ours: str, theirs: str) -> None:
    found = compare(trace(ours), trace(theirs))
    assert found
    assert not found.agrees.result


def test_statistics_of_durations_are_none() -> None:
    texts = [f"latency ms: median {a} p90 {b}\n{END}" for a, b in ((13.5, 26.2), (14.0, 25.1))]
    assert not compare(trace(texts[0]), trace(texts[1])) or compare(trace(texts[0]), trace(texts[1])).agrees.result


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (np.array([1.5, 2.5, 3.5]), np.array([1.5, 3.5, 2.5])),
        (np.array([1, 2, 3]), np.array([1, 3, 2])),
        ("report: the loss was 0.5312.", "report: the loss was 0.7312."),
        ("id,prob\n1,0.25\n2,0.75\n", "id,prob\n1,0.75\n2,0.25\n"),
        ('{"weights": [\n0.5,\n0.25]}', '{"weights": [\n0.25,\n0.5]}'),
        ("w[0]: 0.5\nw[1]: 0.25", "w[0]: 0.25\nw[1]: 0.5"),
        ("float64 (2,)\n0.5\n0.25", "float64 (2,)\n0.25\n0.5"),
        ("m.npy: bool (2,)\nTrue\nFalse", "m.npy: bool (2,)\nFalse\nTrue"),
        ("m.npy: complex128 (1,)\n(1+0.25j)", "m.npy: complex128 (1,)\n(1+0.75j)"),
        ("m.npy: float64 (2,)\nnan\n0.5", "m.npy: float64 (2,)\n0.5\nnan"),
        ("m.npy: float64 (1, 2)\n1.5\n0.5", "m.npy: float64 (2, 1)\n1.5\n0.5"),
        ("picked[0]: 4\npicked[1]: 7", "picked[0]: 7\npicked[1]: 4"),
        ("mask[0]: True", "mask[0]: False"),
        ("a loss=0.5 acc=0.25\nb loss=0.7 acc=0.2", "b loss=0.5 acc=0.25\na loss=0.7 acc=0.2"),
        ("x 0.5 0.25", "x 0.25 0.5"),
        ('{"loss": NaN}', '{"loss": Infinity}'),
    ],
)
def test_which_number_stands_where_is_part_of_the_result(ours: object, theirs: object) -> None:
    found = compare(trace(END, {"kept": ours}), trace(END, {"kept": theirs}))  # type: ignore[dict-item]
    assert found
    assert not found.agrees.result
    assert not found.agrees.log


def test_a_file_that_one_run_alone_wrote_is_a_snapshot_where_its_number_is_no_result() -> None:
    def run(*names: str) -> Trace:
        return trace(END, {name: f"loss 0.{k + 1}" for k, name in enumerate(names)})

    assert compare(run("a_17.txt", "a_18.txt"), run("a_17.txt", "a_18.txt", "a_19.txt")).agrees.result
    assert not compare(run("best_acc0.931.txt", "x"), run("best_acc0.942.txt", "y")).agrees.result


def test_a_tilde_is_no_time() -> None:
    assert not compare(trace(END, {"x.txt": "~ 4 rows"}), trace(END, {"x.txt": "~ 5 rows"})).agrees.log


def test_members_keep_their_folders_and_what_is_no_keras_archive_its_metadata(tmp_path: Path) -> None:
    found = []
    for k in (0, 1):
        folder = tmp_path / str(k)
        folder.mkdir()
        with zipfile.ZipFile(folder / "all.zip", "w") as archive:
            for place, text in (("train/y.txt", "ab"[k]), ("test/y.txt", "ba"[k])):
                archive.writestr(place, text)
        with zipfile.ZipFile(folder / "b.zip", "w") as archive:
            archive.writestr("metadata.json", f'{{"acc": 0.{k + 5}}}')
        found.append(_written(folder))
    assert found[0]["all.zip"] != found[1]["all.zip"]
    assert found[0]["b.zip"] != found[1]["b.zip"]


STEPS = np.array([1, 2], np.uint32)


@pytest.mark.parametrize(
    ("ours", "theirs", "beside"),
    [
        ("seen[0][1]: 0.5\nseen[1][1]: 31.25", "seen[0][1]: 0.5\nseen[1][1]: 47.5", True),
        ("seen[0][1]: 0.5\nseen[1][1]: 31.25", "seen[0][1]: 0.5", True),
        ("seen[0]: 0.5000000001", "seen[0]: 0.5", False),
        ("0.5", "0.75", False),
        ('{"val_loss": [\n0.5,\n0.4\n]}', '{"val_loss": [\n0.7,\n0.1\n]}', False),
        ("Report\nAccuracy 0.93", "Report\nAccuracy 0.11", False),
        ("id,prob\n1,0.25\n2,0.75", "id,prob\n1,0.75\n2,0.25", False),
        ("val_loss: float64 (1,)\n0.5", "val_loss: float64 (1,)\n0.75", False),
        ("y_pred: float64 (2,)\n0.5\n0.25", "y_pred: float64 (2,)\n0.75\n0.25", False),
        ('{"loss": 0.5}', '{"loss": 0.75}', False),
        ("epoch,loss\n1,0.5", "epoch,loss\n1,0.75", False),
        ("weights: digest of bytes " + "a" * 64, "weights: digest of bytes " + "b" * 64, False),
    ],
)
def test_where_parameters_agree_other_numbers_that_differ_by_far_are_moments(
    ours: str, theirs: str, beside: bool
) -> None:
    x, y = (trace(END, {"kept": text}, steps=STEPS) for text in (ours, theirs))
    assert compare(x, y).agrees.result is beside


def test_an_array_in_an_archive_may_hold_moments_where_another_one_is_the_same(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    table = rng.normal(size=40)

    def saved(name: str, **arrays: np.ndarray) -> dict[str, str]:
        (tmp_path / name).mkdir()
        np.savez(tmp_path / name / "all.npz", **arrays)
        return _written(tmp_path / name)  # type: ignore[return-value]

    first = saved("1", table=table, beats=np.array([0.5, 1.25]))
    same = {
        "longer": saved("2", table=table, beats=np.array([0.75, 1.5, 2.25])),
        "none": saved("3", table=table, beats=np.array([])),
    }
    other = {
        "rounded": saved("4", table=table, beats=np.array([0.5 + 1e-12, 1.25])),
        "table": saved("5", table=table * 2, beats=np.array([0.5, 1.25])),
        "lacking": saved("6", table=table),
        "predictions": saved("7", table=table, beats=table * 3),
        "smaller": saved("8", table=table[:4], beats=np.array([0.5, 1.25])),
    }
    assert all(compare(trace(END, first), trace(END, files)).agrees.result for files in same.values())
    assert not any(compare(trace(END, first), trace(END, files)).agrees.result for files in other.values())


def test_pictures_in_pages_and_notebooks_are_none_of_the_result() -> None:
    def page(seed: int, loss: float) -> str:
        data = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + np.random.default_rng(seed).bytes(9_000)
        plain, lines = base64.b64encode(data).decode(), base64.encodebytes(data).decode()
        cell = json.dumps({"image/png": lines, "loss": loss})
        return f'<img src="data:image/png;base64,{plain}"><svg id="m{seed}">\n</svg> {cell} loss {loss}'

    assert masked(page(1, 0.5)) == masked(page(2, 0.5)) != masked(page(1, 0.25))


def _tables(folder: Path, day: int, loss: float) -> dict[str, object]:
    folder.mkdir()
    with h5py.File(folder / "all.h5", "w") as file:
        data = file.create_dataset("layer/weights", data=np.arange(12.0) * loss, track_times=True)
        data.attrs["created"] = f"Sun Nov {day} 10:11:12 2026"
        file.attrs["elapsed"] = float(day)
        file["names"] = ["a", "b"]
    frame = pd.DataFrame(
        {"loss": [loss, 0.75], "who": ["x", None], "at": [pd.Timestamp(2026, 11, day, k) for k in (1, 2)]}
    )
    frame.to_parquet(folder / "all.parquet")
    return _written(folder)


def test_hdf5_and_parquet_files_are_compared_by_what_they_hold(tmp_path: Path) -> None:
    time.sleep(1 - time.time() % 1)  # HDF5 notes whole seconds
    first = _tables(tmp_path / "a", 1, 0.5)
    time.sleep(1)
    same, other = _tables(tmp_path / "b", 2, 0.5), _tables(tmp_path / "c", 2, 0.25)
    assert (tmp_path / "a/all.h5").read_bytes() != (tmp_path / "b/all.h5").read_bytes()
    names = ("all.h5", "all.parquet")
    assert [first[name] for name in names] == [same[name] for name in names]
    assert all(first[name] != other[name] for name in names)
    assert "layer/weights: float64 (12,)\n0.0\n0.5" in str(first["all.h5"])


def test_a_damaged_hdf5_file_is_compared_by_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n\x00broken")
    (tmp_path / "a.parquet").write_bytes(b"PAR1\x00\x15\xffPAR1")
    assert all(isinstance(content, bytes) for content in _written(tmp_path).values())


def test_a_checksum_that_is_printed_counts_as_the_file() -> None:
    def run(checksum: str, loss: float = 0.5) -> Trace:
        return trace(f"model.zip {checksum[:12]}\nloss {loss}\n", checksums=("0" * 32, checksum))

    ours, theirs = "3f" * 16, "9e" * 16
    assert not compare(run(ours), run(theirs))
    assert compare(run(ours), run(theirs, 0.25))
    assert compare(trace("rows 20240105 mean 0.5", checksums=("20240105",)), trace("rows 20240106 mean 0.5"))


def test_a_digest_of_weights_that_is_printed_is_a_result_where_parameters_were_not_seen() -> None:
    ours, theirs = (f"sha {digit * 64}\n{END}" for digit in "3e")
    found = compare(trace(ours), trace(theirs))
    assert not found.agrees.digests
    assert found.agrees.result  # if the clock explains it
    assert not found.agrees.log
    assert compare(trace(ours, steps=STEPS), trace(theirs, steps=STEPS), every_word=True).agrees.digests


def test_a_file_is_the_same_one_where_words_were_drawn_for_its_name_and_its_text_is_the_same() -> None:
    def run(name: str, mae: str = "45.0178", pid: str = "4711", words: tuple[str, ...] = ()) -> Trace:
        text = f'{{"study": "{name}", "mae": {mae}, "process": {pid}}}'
        out = f"{name}: mae {mae}\n"
        return Trace(
            0,
            out,
            "",
            files={f"{name}.json": text},
            contents={f"{name}.json": text},
            numbers=frozenset({pid}),
            words=words,
        )

    assert not compare(run("amber-6edfdd"), run("drift-666e59", pid="52"), every_word=True)
    drawn = (("6edfdd01234567",), ("666e5901234567",))
    assert not compare(run("amber-6edfdd", words=drawn[0]), run("drift-666e59", words=drawn[1]), every_word=True)
    assert not compare(run("amber-6edfdd", words=drawn[0]), run("amber-666e59", words=drawn[1]), every_word=True)
    assert compare(run("amber-6edfdd"), run("drift-666e59", mae="45.0179"))
    assert compare(run("forest"), run("boost"))  # a result: the best model
    assert compare(run("RandomForest_deep"), run("GradientBoosting_wide_l2"), every_word=True)


def test_the_one_file_of_its_kind_is_the_same_file_where_its_name_was_drawn() -> None:
    def run(name: str, text: str = "loss 0.5") -> Trace:
        return trace(END, {name: text, "x.txt": f"kept as {name}"})

    found = compare(run("out/paths_XWPImIO6.h5"), run("out/paths_9rahjwIM.h5"), every_word=True)
    assert found.agrees.result
    assert found.what == ("names of files: out/paths_9rahjwIM.h5 in one of them",)
    assert not compare(run("out/paths_XWPImIO6.h5"), run("out/paths_9rahjwIM.h5", "loss 0.25")).agrees.result
    assert not compare(run("best_0.91.txt"), run("top_0.92.txt")).agrees.result


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("winner_forest.txt", "winner_linsvm.txt"),
        ("adamax_", "sgdmom"),
        ("forest/a.txt", "linsvm/a.txt"),
        ("config_a.json", "crash_report.json"),
    ],
)
def test_a_name_that_says_something_is_a_result_where_it_is_printed(ours: str, theirs: str) -> None:
    runs = [trace(f"{END}best model: {name.split('/')[0]}\n", {name: "x 0.5"}) for name in (ours, theirs)]
    found = compare(*runs)
    assert found
    assert not found.agrees.log


def test_what_the_log_says_at_a_step_is_no_result_where_the_output_says_one() -> None:
    ours, theirs = (trace(END, stderr=f"ep {k} | win 0.{k}\n") for k in (2767, 2799))
    assert compare(ours, theirs).agrees.result
    assert not compare(ours, trace(END, stderr="ep 2767 | win 0.5\n")).agrees.result
    alone = [trace("done", stderr=f"ep {k} | win 0.{k}\n") for k in (2767, 2799)]
    assert not compare(*alone).agrees.result


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (
            "baseline accuracy 0.5\nEarly stopping at epoch 7, test accuracy 0.91",
            "baseline accuracy 0.5\nEarly stopping at epoch 9, test accuracy 0.55",
        ),
        ("epoch 7 test accuracy 0.91\ndata mean 0.5", "epoch 9 test accuracy 0.55\ndata mean 0.5"),
        ("Generation 12: best fitness 0.913\nmutation rate 0.5", "Generation 14: best fitness 0.4\nmutation rate 0.5"),
        ("accuracy after epoch 3: 0.5", "accuracy after epoch 4: 0.25"),
    ],
)
def test_a_metric_at_a_step_in_the_output_is_a_result(ours: str, theirs: str) -> None:
    assert not compare(trace(ours), trace(theirs)).agrees.result


def test_lines_of_a_logger_have_one_kind_with_and_without_its_time() -> None:
    lines = parts_of(trace("[00:01:02] step 1 loss 0.5\n           step 2 loss 0.4\n"), durations=True)[
        "output"
    ].splitlines()
    assert len({row_of(line)[0] for line in lines}) == 1


def test_the_drawn_name_of_a_file_is_no_part_of_what_is_printed_and_its_number_is() -> None:
    def run(name: str) -> Trace:
        return trace(f"Tc estimate: 2.4 (saved {name})\n", {name: "T 0.5"})

    for other in ("ising_06bb73.pkl", "ising_698066.pkl"):
        assert compare(run("ising_752cb4.pkl"), run(other), every_word=True).agrees.result
        assert compare(run(other), run("ising_752cb4.pkl"), every_word=True).agrees.result
    assert not compare(run("ckpt_120.pkl"), run("ckpt_360.pkl"), every_word=True).agrees.result


def _world(folder: Path) -> World:
    upper = folder / "upper"
    upper.mkdir()
    return cast(World, SimpleNamespace(targets=[{"path": str(folder), "upper": str(upper)}]))


def test_files_whose_names_differ_in_dates_alone_are_all_compared(tmp_path: Path) -> None:
    world = _world(tmp_path)
    found = []
    for loss in (0.5, 0.75):
        for day, text in ((5, f"loss {loss}"), (6, "loss 0.25")):
            Path(world.targets[0]["upper"], f"forecast_2024-01-0{day}.csv").write_text(text)
        found.append(written(world, tmp_path, durations=False))
    (first, *_), (second, *_) = found
    assert list(first) == ["forecast_DATE.csv", "forecast_DATE.csv (2)"]
    assert first != second


def test_checksums_are_those_of_files_that_are_compared(tmp_path: Path) -> None:
    world = _world(tmp_path)
    for name in ("model.bin", "weights.db", "preds.png"):
        Path(world.targets[0]["upper"], name).write_text(name)
    checksums = written(world, tmp_path, durations=False)[2]
    assert hashlib.sha256(b"model.bin").hexdigest() in checksums
    assert len(checksums) == 4


def test_words_and_numbers_in_another_order_are_told_apart_from_others() -> None:
    kept = [
        {"a.html": text}
        for text in ("{'Lyon': 1.25, 'Porto': 2.5}", "{'Porto': 2.5, 'Lyon': 1.25}", "{'Porto': 1.25, 'Lyon': 2.5}")
    ]
    same, other = compare(trace(END, kept[0]), trace(END, kept[1])), compare(trace(END, kept[0]), trace(END, kept[2]))
    assert (same.agrees.permuted, same.agrees.result) == (True, True)
    assert (other.agrees.permuted, other.agrees.result) == (False, False)
    assert not compare(trace(END, {"a": "cat dog"}), trace(END, {"a": "dog cow"})).agrees.permuted


@pytest.mark.parametrize(
    ("name", "a", "b", "is_order"),
    [
        ("stop.json", '["cat", "dog"]', '["dog", "cat"]', True),
        ("stop.json", '{"stop": ["cat", "dog"], "n": 2}', '{"n": 2, "stop": ["dog", "cat"]}', True),
        ("stop.txt", "cat dog", "dog cat", True),
        ("vocab.json", '{"cat": 0, "dog": 1}', '{"cat": 1, "dog": 0}', False),
        ("vocab.json", '{\n "cat": 0,\n "dog": 1\n}', '{\n "dog": 0,\n "cat": 1\n}', False),
        ("split.json", '{"train": ["cat"], "test": ["dog"]}', '{"train": ["dog"], "test": ["cat"]}', False),
        ("folds.json", "[0, 1, 1]", "[1, 0, 1]", False),
        ("vocab.txt", "cat\ndog", "dog\ncat", False),  # the place of a line may be its number
        ("found.txt", "ant 2.0\nbee 1.0", "ant 1.0\nbee 2.0", False),
    ],
)
def test_another_order_is_no_other_assignment(name: str, a: str, b: str, is_order: bool) -> None:
    assert compare(trace(END, {name: a}), trace(END, {name: b})).agrees.permuted is is_order


def test_something_behind_a_packed_stream_is_compared(tmp_path: Path) -> None:
    whole = zlib.compress(b"head")
    found = []
    for text in (b"one", b"two"):
        (tmp_path / "x.bin").write_bytes(whole + zlib.compress(text))
        found.append(dict(contents_of(tmp_path)))
    assert found[0] != found[1]
