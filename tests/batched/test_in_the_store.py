"""Seeds that are trained together are runs like others: kept, added to, resumed, shown and compared."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import seedwise as sw
from seedwise.batched.on_torch import training
from seedwise.batched.on_torch.chunk import Chunk
from seedwise.cli import main
from seedwise.events import Began, Ended
from seedwise.experiments.loading import open_store

from .nets import BY_NAME, Mlp

SGD = partial(torch.optim.SGD, lr=0.05)
DESCRIPTION = """
from functools import partial
import numpy as np, torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Linear(4, 5), nn.Linear(5, 2)
    def forward(self, x):
        return self.b(torch.tanh(self.a(x)))

def experiment(lr=0.1, engine="vmap"):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 4))
    return {
        "model": Net, "train": (x, (x[:, 0] > 0).astype(int)), "loss": nn.CrossEntropyLoss(), "engine": engine, "width": 64,
        "optimizer": partial(torch.optim.SGD, lr=lr), "epochs": 2, "batch_size": 8, "metrics": ["accuracy"],
    }
"""


def fitted(seeds: Sequence[int], **how: object) -> sw.batched.BatchedResults:
    given = {
        "loss": nn.CrossEntropyLoss(), "optimizer": SGD, "epochs": 2, "batch_size": 8, "engine": "vmap", "width": 64,
        "name": "net", "keep": ["predictions", "parameters"], **how,
    }  # fmt: skip
    return sw.batched.fit(Mlp, BY_NAME["linear"].data(), seeds=seeds, **given)  # type: ignore[arg-type]


@pytest.fixture
def chunks(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The seeds of every chunk that is trained."""
    trained: list[list[int]] = []
    train = training.train_chunk

    def counted(chunk: Chunk) -> object:
        trained.append(list(chunk.seeds))
        return train(chunk)

    monkeypatch.setattr(training, "train_chunk", counted)
    return trained


def test_more_seeds_are_added_with_the_bits_that_they_have_together(project: Path, chunks: list[list[int]]) -> None:
    fitted([1, 2, 3])
    both = fitted(range(1, 7))
    assert chunks == [[1, 2, 3], [4, 5, 6]]
    assert fitted(range(1, 7)).scores("train_loss").by_seed == both.scores("train_loss").by_seed
    assert len(chunks) == 2
    together = fitted(range(1, 7), name=None)
    for one, other in zip(both.runs, together.runs, strict=True):
        assert one.series == other.series
        for name in other.arrays:
            assert np.array_equal(one.array(name), other.array(name))


def test_what_changes_begins_another_experiment(project: Path) -> None:
    fitted([1])
    for how in (
        {"epochs": 3}, {"optimizer": partial(torch.optim.SGD, lr=0.06)}, {"batch_size": 9}, {"engine": "loop"},
        {"loss": nn.CrossEntropyLoss(label_smoothing=0.1)}, {"width": 128}, {"vary": ["init"]},
    ):  # fmt: skip
        assert "changed since" in " ".join(fitted([1], **how).notes), how  # type: ignore[arg-type]
    x, y = BY_NAME["linear"].data()
    results = sw.batched.fit(
        Mlp, (x + 1, y), loss=nn.CrossEntropyLoss(), optimizer=SGD, epochs=2, batch_size=8, engine="vmap", width=64,
        name="net", keep=["predictions", "parameters"], seeds=[1],
    )  # fmt: skip
    assert any("train, vary changed since" in note for note in results.notes)


def test_an_interrupted_training_keeps_its_whole_chunks_and_goes_on(
    project: Path, chunks: list[list[int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = Chunk.epoch
    monkeypatch.setattr(Chunk, "epoch", lambda self, k: _interrupt() if 65 in self.seeds else epoch(self, k))
    first = fitted(range(1, 100), keep=())
    assert len(first.finished) == 64
    assert len(first.having(sw.Status.INTERRUPTED)) == 35
    monkeypatch.setattr(Chunk, "epoch", epoch)
    chunks.clear()
    whole = fitted(range(1, 100), keep=())
    assert chunks == [list(range(65, 100))]
    assert len(whole.finished) == 99
    alone = fitted([70], keep=(), name=None)
    assert whole.runs[69].series == alone.runs[0].series


def _interrupt() -> torch.Tensor:
    raise KeyboardInterrupt


def test_events_tell_every_run(project: Path) -> None:
    events: list[object] = []
    fitted([4, 5], tell=events.append)
    assert isinstance(next(e for e in events if isinstance(e, Began)), Began)
    assert [e.run.seed for e in events if isinstance(e, Ended)] == [4, 5]


@pytest.fixture
def command(project: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run a command; exit code, output and messages."""
    (project / "net.py").write_text(DESCRIPTION)

    def run(*words: str) -> tuple[int, str, str]:
        try:
            code = main(list(words))
        except SystemExit as error:
            code = int(error.code or 0)
        said = capsys.readouterr()
        return int(code or 0), said.out, said.err

    return run


def test_the_command_line_runs_adds_shows_and_compares(command: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = command("run", "-n", "5", "--batched", "net.py:experiment")
    assert code == 0
    assert "seed 1 by the plain loop: the same starting weights, the same data order" in out
    assert "5 seeds" in out
    code, out, _ = command("run", "-n", "7", "--batched", "net.py:experiment", "--json")
    shown = json.loads(out)
    assert (code, shown["finished"], shown["command"]) == (0, 7, ["net.py:experiment"])
    assert shown["metrics"]["train_accuracy"]["n"] == 7
    assert command("run", "-n", "7", "--batched", "net.py:experiment", "--set", "lr=0.2", "--name", "fast")[0] == 0
    assert "train_accuracy" in command("compare", "fast", "net", "--metric", "train_accuracy")[1]
    assert "64 seeds together" in command("show", "net")[1]
    assert command("export", "net", "--format", "csv")[1].count("finished") == 7
    assert "fast" in command("list")[1]
    assert command("resume", "net")[0] == 0


def test_one_source_is_varied_from_the_command_line_and_when_resumed(
    command: Callable[..., tuple[int, str, str]], project: Path
) -> None:
    assert command("run", "-n", "3", "--batched", "--vary", "init", "--name", "init", "net.py:experiment")[0] == 0
    assert "the seed governs init, and all else is under seed 0" in command("show", "init")[1]
    with open_store(None) as store:
        store.want(store.experiment("init").id, [4])
    assert command("resume", "init")[0] == 0
    runs = sw.load("init").runs
    assert [run.status for run in runs] == [sw.Status.FINISHED] * 4
    module: dict[str, object] = {}
    exec(DESCRIPTION, module)
    described = module["experiment"]()  # type: ignore[operator]
    for vary, same in ((["init"], True), (["order"], False), (None, False)):
        asked = sw.batched.fit(seeds=[1, 2, 3, 4], vary=vary, **described)
        assert [
            run.series["train_loss"] == other.series["train_loss"] for run, other in zip(runs, asked.runs, strict=True)
        ] == [same] * 4
    assert command("run", "-n", "3", "--batched", "--name", "init", "net.py:experiment")[0] == 0
    assert sw.load("init@2").scores("train_loss").by_seed != sw.load("init@1").scores("train_loss").by_seed
    code, _, said = command("run", "-n", "3", "--batched", "--vary", "augment", "net.py:experiment")
    assert (code, "init, order, dropout" in said) == (2, True)
    (project / "own.py").write_text(DESCRIPTION.replace('"epochs": 2', '"vary": ["init"], "epochs": 2'))
    code, _, said = command("run", "-n", "3", "--batched", "--vary", "order", "own.py:experiment")
    assert (code, "says itself what varies" in said) == (2, True)


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("--jobs", "2", "net.py:experiment"), "--jobs would be ignored"),
        (("--threads", "script", "net.py:experiment"), "--threads takes a number"),
        (("--until-margin", "0.1", "net.py:experiment"), "--until-margin"),
        (("net.py",), "net.py:experiment"),
        (("net.py:nothing",), "net.py has no nothing"),
        (("missing.py:experiment",), "no such script"),
        (("net.py:experiment", "--set", "rate=1"), "rate"),
        (("net.py:Net",), "it returned Net"),
        (("broken.py:f",), "ZeroDivisionError"),
        (("other.py:f",), "modle"),
        (("other.py:g",), "does not say model, train"),
        (("other.py:h",), "failed: KeyError"),
    ],
)
def test_wrong_use_is_answered_with_what_to_do(
    command: Callable[..., tuple[int, str, str]], project: Path, words: tuple[str, ...], answer: str
) -> None:
    (project / "broken.py").write_text("1 / 0\n")
    (project / "other.py").write_text(
        "def f(): return {'modle': 1}\ndef g(): return {'epochs': 1}\ndef h(): return {}['x']\n"
    )
    code, _, said = command("run", "-n", "3", "--batched", *words)
    assert code == 2
    assert answer in said


def test_changed_code_is_not_resumed(command: Callable[..., tuple[int, str, str]], project: Path) -> None:
    command("run", "-n", "3", "--batched", "net.py:experiment")
    with open_store(None) as store:
        store.want(store.experiment("net").id, [9])
    (project / "net.py").write_text(DESCRIPTION.replace("tanh", "relu"))
    code, _, said = command("resume", "net")
    assert code == 2
    assert "changed since net" in said
    (project / "net.py").write_text(DESCRIPTION)
    assert command("resume", "net")[0] == 0
    assert [run.status for run in sw.load("net").runs] == [sw.Status.FINISHED] * 4
