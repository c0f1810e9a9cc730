"""compare, summarize and plan from the command line."""

import json
from pathlib import Path

import numpy as np
import pytest

from seedwise.cli.start import start

RNG = np.random.default_rng(2)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rows = [("mlp", s, RNG.normal(0.8, 0.02)) for s in range(8)] + [("cnn", s, RNG.normal(0.9, 0.02)) for s in range(8)]
    Path("two.csv").write_text("model,seed,acc\n" + "".join(f"{m},{s},{v}\n" for m, s, v in rows))
    Path("mlp.csv").write_text("seed,acc\n" + "".join(f"{s},{v}\n" for m, s, v in rows if m == "mlp"))
    Path("cnn.csv").write_text("seed,acc\n" + "".join(f"{s},{v}\n" for m, s, v in rows if m == "cnn"))
    wide = "".join(f"{s},{rows[s][2]},{rows[8 + s][2]}\n" for s in range(8))
    Path("wide.csv").write_text("seed,mlp,cnn\n" + wide)
    Path("two.json").write_text(json.dumps({"mlp": [r[2] for r in rows[:8]], "cnn": [r[2] for r in rows[8:]]}))
    tasks = [(m, t, s, RNG.normal(k, 0.5)) for k, m in enumerate("abc") for t in range(7) for s in range(3)]
    Path("tasks.csv").write_text("algo,env,seed,reward\n" + "".join(f"{m},{t},{s},{v}\n" for m, t, s, v in tasks))


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert start([*words, "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_one_question_four_ways_of_holding_the_scores(capsys: pytest.CaptureFixture[str]) -> None:
    found = [
        ask(capsys, "compare", "two.csv", "--by", "model"),
        ask(capsys, "compare", "mlp.csv", "cnn.csv"),
        ask(capsys, "compare", "wide.csv", "--wide", "--metric", "acc"),
        ask(capsys, "compare", "two.json", "--metric", "acc"),
    ]
    assert {f["decision"] for f in found} == {"worse"}
    assert len({round(float(f["difference"]), 12) for f in found}) == 1  # type: ignore[arg-type]
    names = "difference interval level method p_value probability_of_improvement effect_size correlation decision sentence pairs"
    assert set(names.split()) <= set(found[0])


def test_a_table_reads_the_same_as_the_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert start(["compare", "two.csv", "--by", "model", "--explain"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("mlp is worse than cnn in acc")
    assert text.splitlines()[7].endswith("worse")
    assert "Cliff's δ" in text
    assert start(["compare", "two.csv", "--by", "model", "--format", "latex"]) == 0
    assert r"\toprule" in capsys.readouterr().out


def test_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, "compare", "tasks.csv", "--by", "algo", "--task", "env", "--nemenyi")
    assert [p["name"] for p in found["places"]] == ["c", "b", "a"]  # type: ignore[union-attr,index,call-overload]
    assert start(["compare", "tasks.csv", "--by", "algo", "--task", "env", "--explain", "--nemenyi"]) == 0
    text = capsys.readouterr().out
    assert "Friedman" in text
    assert "Nemenyi" in text
    assert "IQM: mean of the middle half" in text


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("compare", "tasks.csv", "--by", "algo"), "--task env"),
        (("compare", "mlp.csv"), "--by one of seed, acc"),
        (("compare", "two.csv", "--by", "colour"), "no column 'colour'"),
        (("compare", "mlp.csv", "cnn.csv", "--by", "model"), "one file that holds all"),
        (("compare", "nothing.csv"), "is no file"),
        (("compare",), "NEW and BASE"),
        (("compare", "mlp.csv", "mlp.csv"), "each side once"),
        (("compare", "two.csv", "--by", "model", "--metric", "model"), "which is no number"),
        (("compare", "two.csv", "--by", "model", "--level", "2"), "level is"),
        (("summarize", "two.csv", "--by", "none"), "seed 0 stands twice"),
        (("summarize", "mlp.csv", "--by", "seed", "--threshold", "1"), "one method"),
        (("summarize", "mlp.csv", "--best-of", "9"), "n is 1 … 8"),
        (("plan", "--effect", "0.1"), "SD between seeds"),
        (("plan", "--effect", "0.1", "--sd", "1", "--paired", "--one"), "not both"),
        # an option that would be ignored
        (("compare", "tasks.csv", "--by", "algo", "--task", "env", "--paired"), "--paired would be ignored"),
        (("compare", "tasks.csv", "--by", "algo", "--task", "env", "--equivalence", "1"), "--equivalence would be"),
        (("compare", "two.csv", "--by", "model", "--nemenyi"), "--nemenyi would be ignored"),
        (("compare", "mlp.csv", "cnn.csv", "--nemenyi"), "--nemenyi would be ignored"),
        (("compare", "two.csv", "--wide", "--by", "model"), "--by would be ignored"),
        (("compare", "mlp.csv", "cnn.csv", "--max-seeds", "9"), "goes with --until-decided"),
        (("compare", "a", "b", "--until-decided", "--paired"), "--paired would be ignored"),
        (("compare", "a", "b", "--until-decided", "--format", "md"), "--format would be ignored"),
        (("compare", "two.csv", "--by", "model", "--store", "x"), "--store would be ignored"),
        (("summarize", "mlp.csv", "--alpha", "0.05"), "goes with --threshold"),
        (("summarize", "mlp.csv", "--looked-from", "5"), "goes with --threshold"),
        (("summarize", "mlp.csv", "--looked-to", "5"), "goes with --threshold"),
        (("summarize", "mlp.csv", "--threshold", "1", "--looked-to", "5"), "goes with --looked-from"),
        (
            ("summarize", "mlp.csv", "--threshold", "1", "--looked-from", "3", "--looked-to", "5"),
            "more than the largest",
        ),
        (("summarize", "two.csv", "--by", "model", "--explain"), "--explain would be ignored"),
        (("summarize", "two.csv", "--by", "model", "--task", "seed"), "seed tells runs apart"),
        (("summarize", "two.csv", "--by", "model", "--normalise", "atari"), "--task COLUMN"),
        (("summarize", "tasks.csv", "--task", "env"), "stands twice"),
        (
            ("compare", "tasks.csv", "--by", "algo", "--task", "env", "--normalise", "atari"),
            "no reference scores for 0",
        ),
        (("compare", "tasks.csv", "--by", "algo", "--task", "env", "--zero", "a"), "--normalise"),
        (("compare", "tasks.csv", "--by", "algo", "--task", "env", "--profile", "1,x"), "0.5,1,2"),
        (("compare", "two.csv", "--by", "model", "--enough", "1"), "there is one"),
        (("compare", "mlp.csv", "cnn.csv", "--profile", "auto"), "--task COLUMN"),
        (("plan", "--effect", "0.1", "--sd", "1", "--base", "mlp.csv"), "goes with --pilot"),
        (("plan", "--effect", "0.1", "--sd", "1", "--margin", "0.1"), "two questions"),
        (("plan", "--probability", "0.75", "--sd", "1"), "sd= would be ignored"),
    ],
)
def test_what_cannot_be_answered_is_a_line_and_exit_2(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(list(words)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "Traceback" not in error


def test_summaries_answer_further_questions(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["summarize", "mlp.csv", "--threshold", "0.7", "--looked-from", "3", "--best-of", "3", "--explain"]
    assert start(words) == 0
    text = capsys.readouterr().out
    assert "It is shown that mean acc ≥ 0.7 at p < 0.01" in text
    assert "looked at after every seed from 3 on, whenever one stops" in text
    assert start([*words, "--looked-to", "20"]) == 0
    assert "from 3 on, to 20 at most" in capsys.readouterr().out
    assert "The best of 3 seeds is to be expected at" in text
    found = ask(capsys, "summarize", "mlp.csv", "--interval", "studentised", "--level", "0.9")
    summary = found["metrics"]["acc"]  # type: ignore[index,call-overload]
    assert summary["method"] == "studentised bootstrap interval"
    assert "few" in summary["note"]
    both = ask(capsys, "summarize", "two.csv", "--by", "model")
    assert set(both) == {"mlp", "cnn"}


def test_plans(capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(capsys, "plan", "--effect", "0.01", "--sd", "0.02")["seeds"] == 64
    found = ask(capsys, "plan", "--effect", "0.01", "--pilot", "mlp.csv", "--base", "cnn.csv")
    assert found["details"]["pilot_n"] == 8  # type: ignore[index,call-overload]
    assert start(["plan", "--effect", "0.01", "--pilot", "mlp.csv", "--explain"]) == 0
    assert "leave the SD open" in capsys.readouterr().out


def test_experiments_are_compared_by_name_with_other_metrics_held_by_holm(capsys: pytest.CaptureFixture[str]) -> None:
    script = (
        "import random\nrandom.seed(1)\nprint('acc =', {m} + random.random() / 10)\nprint('loss =', random.random())\n"
    )
    Path("a.py").write_text(script.format(m=0.5))
    Path("b.py").write_text(script.format(m=0.8))
    for name in ("a.py", "b.py"):
        assert start(["run", "-n", "6", "--", "python", name]) == 0
    capsys.readouterr()
    found = ask(capsys, "compare", "b", "a")
    assert found["metric"] == "acc"
    assert found["decision"] == "better"
    assert [c["metric"] for c in found["others"]] == ["loss"]  # type: ignore[union-attr,index,call-overload]
    assert ask(capsys, "compare", "b", "a", "--metric", "loss")["others"] == []
    assert start(["compare", "b", "a"]) == 0
    text = capsys.readouterr().out
    assert "held together by Holm" in text
    assert "decided by chance in up to 10 %" in text
