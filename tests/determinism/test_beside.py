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
