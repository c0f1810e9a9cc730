"""A result that is the same, beside which something differs: what counts as the result, and what does not."""

import gzip
import io
import json
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest

from seedwise.determinism import Trace, Verdict, compare
from seedwise.runs.written_files import contents_of, digest_of

CLOCK = {"clock-read": "train.py:1"}
END = "accuracy = 0.875\n"


def trace(text: str = "", files: dict[str, str] | None = None, **more: object) -> Trace:
    contents = files or {}
    digests = {path: digest_of(content) for path, content in contents.items()}
    return Trace(0, text, "", files=digests, contents=contents, facts=CLOCK, **more)  # type: ignore[arg-type]


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
        ({"model.pkl": "BINUNICODE 'run/28'\nBINFLOAT 0.5"}, {"model.pkl": "BINUNICODE 'run/29'\nBINFLOAT 0.5"}),
        ({"beats.txt": "alive\nalive\n"}, {}),
    ],
)
def test_words_counts_and_order_in_kept_files_are_beside_the_result(
    ours: dict[str, str], theirs: dict[str, str]
) -> None:
    found = compare(trace(END, ours), trace(END, theirs))
    assert (found.verdict, found.same_result) == (Verdict.DIFFERENT, True)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"out.json": '{"loss": 0.25}'}, {"out.json": '{"loss": 0.26}'}),
        ({"model.pkl": "BINFLOAT 0.5"}, {"model.pkl": "BINFLOAT 0.6"}),
        ({"model.pkl": "digest of bytes " + "a" * 64}, {"model.pkl": "digest of bytes " + "b" * 64}),
        ({"model.pkl": "BINBYTES b'\\x00\\x01'"}, {"model.pkl": "BINBYTES b'\\x00\\x02'"}),
        ({"best.json": '{"loss": 0.25}'}, {}),
    ],
)
def test_numbers_and_bytes_in_kept_files_are_the_result(ours: dict[str, str], theirs: dict[str, str]) -> None:
    found = compare(trace(END, ours), trace(END, theirs))
    assert found
    assert not found.same_result
    assert not found.only_logged


def test_a_metric_at_the_end_is_the_result_and_one_that_is_printed_as_time_goes_by_is_not() -> None:
    ours = trace("step 10 loss 0.9\nstep 20 loss 0.7\nstep 30 loss 0.6\nfinal accuracy: 0.875\n")
    theirs = trace("step 12 loss 0.88\nstep 25 loss 0.65\nstep 31 loss 0.59\nstep 40 loss 0.5\nfinal accuracy: 0.875\n")
    assert compare(ours, theirs).same_result
    other = trace("step 10 loss 0.9\nstep 20 loss 0.7\nstep 30 loss 0.6\nfinal accuracy: 0.870\n")
    assert not compare(ours, other).same_result


@pytest.mark.parametrize("text", ["picked [4, 7, 9]", "saved", "sampled 3 17 22\nseen 100"])
def test_where_no_result_is_seen_nothing_stands_beside_it(text: str) -> None:
    found = compare(trace(text), trace(text.replace("7", "8").replace("saved", "stored")))
    assert found
    assert not found.same_result
    assert not found.only_logged


def test_parameters_that_are_the_same_are_a_result_and_others_are_none() -> None:
    steps = np.array([1, 2], np.uint32)
    ours, theirs = trace("run of 28", steps=steps), trace("run of 29", steps=steps)
    assert compare(ours, theirs, every_word=True).same_result
    other = trace("run of 29", steps=steps + 1)
    assert not compare(ours, other, every_word=True).same_result


def test_what_is_logged_counts() -> None:
    found = compare(trace(END, logged={"x": (0.5,)}), trace(END, logged={"x": (0.6,)}))
    assert not found.same_result


def test_without_a_known_reason_only_lines_with_a_time_may_differ_in_kept_files() -> None:
    ours, theirs = ({"log.jsonl": f'{{"ts": EPOCH, "worker": {k}}}\n', "x.txt": "a\n"} for k in (1, 2))
    assert compare(trace(END, ours), trace(END, theirs)).only_logged
    words = ({"words.txt": "cat dog\n"}, {"words.txt": "dog cat\n"})
    found = compare(trace(END, words[0]), trace(END, words[1]))
    assert found.same_result
    assert not found.only_logged


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
        found.append(_written(folder))
    assert found[0] == found[1]
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
    assert not found.same_result


def test_statistics_of_durations_are_none() -> None:
    texts = [f"latency ms: median {a} p90 {b}\n{END}" for a, b in ((13.5, 26.2), (14.0, 25.1))]
    assert not compare(trace(texts[0]), trace(texts[1])) or compare(trace(texts[0]), trace(texts[1])).same_result


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (np.array([1.5, 2.5, 3.5]), np.array([1.5, 3.5, 2.5])),
        (np.array([1, 2, 3]), np.array([1, 3, 2])),
        ("report: the loss was 0.5312.", "report: the loss was 0.7312."),
        ("id,prob\n1,0.25\n2,0.75\n", "id,prob\n1,0.75\n2,0.25\n"),
        ('{"weights": [\n0.5,\n0.25]}', '{"weights": [\n0.25,\n0.5]}'),
        ("BINFLOAT 0.5\nBINFLOAT 0.25", "BINFLOAT 0.25\nBINFLOAT 0.5"),
        ("float64 (2,)\n0.5\n0.25", "float64 (2,)\n0.25\n0.5"),
    ],
)
def test_which_number_stands_where_is_part_of_the_result(ours: object, theirs: object) -> None:
    found = compare(trace(END, {"kept": ours}), trace(END, {"kept": theirs}))  # type: ignore[dict-item]
    assert found
    assert not found.same_result
    assert not found.only_logged


def test_a_file_that_one_run_alone_wrote_is_a_snapshot_where_its_number_is_no_result() -> None:
    def run(*names: str) -> Trace:
        return trace(END, {name: f"loss 0.{k + 1}" for k, name in enumerate(names)})

    assert compare(run("a_17.txt", "a_18.txt"), run("a_17.txt", "a_18.txt", "a_19.txt")).same_result
    assert not compare(run("best_acc0.931.txt", "x"), run("best_acc0.942.txt", "y")).same_result


def test_a_tilde_is_no_time() -> None:
    assert not compare(trace(END, {"x.txt": "~ 4 rows"}), trace(END, {"x.txt": "~ 5 rows"})).only_logged


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
