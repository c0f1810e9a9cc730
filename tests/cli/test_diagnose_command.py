"""`seedwise diagnose net.py:build`: what may be named, and what is said where something is wrong."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from seedwise.cli.start import start

FILE = """
import numpy as np, torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

class Net(nn.Module):
    def __init__(self, width=8, start="he"):
        super().__init__()
        self.hidden, self.out = nn.Linear(4, width), nn.Linear(width, 3)
        if start == "zeros":
            nn.init.zeros_(self.hidden.weight), nn.init.zeros_(self.hidden.bias), nn.init.zeros_(self.out.weight)

    def forward(self, x):
        return self.out(self.hidden(x).tanh())

class One(nn.Linear):
    def __init__(self):
        super().__init__(4, 1)

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
Y = X[:, :3].argmax(axis=1).astype(np.int32)

def pair(): return X, Y
def four(): return X[:40], Y[:40], X[40:], Y[40:]
def split_four(): return X[:40], X[40:], Y[:40], Y[40:]
def named(): return {"train": (X[:40], Y[:40]), "test": (X[40:], Y[40:])}
def dataset(): return TensorDataset(torch.tensor(X, dtype=torch.float32), torch.tensor(Y))
loader = DataLoader(dataset(), batch_size=8)
def needs(k): return X, Y
def flat(): return X, X.sum(axis=1)
def halves(): return X[:30], X[30:], X[:30], X[30:]
def broken(): return 1 / 0
def number(): return 3
def my_loss(out, y): return nn.functional.cross_entropy(out, y)
def my_optimizer(p): return torch.optim.SGD(p, lr=0.1)
def rows(out, y): return nn.functional.cross_entropy(out, y, reduction="none")
def described(): return {"model": Net, "train": (X.astype("f"), Y.astype(int)), "loss": nn.CrossEntropyLoss(),
                         "optimizer": my_optimizer, "epochs": 2, "batch_size": 16}
def drawn(): return torch.randn(20, 4), torch.arange(20) % 3
def misspelt(): return {**described(), "epoch": 3}
def unclear(): return {**described(), "optimizer": "sgd"}
def half_epochs(): return {**described(), "epochs": 2.5}
def clipped(): return {**described(), "clip_norm": 1.0, "drop_last": False}
"""
LINE = FILE.splitlines().index("def broken(): return 1 / 0") + 1


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    Path("net.py").write_text(FILE)
    Path("wrong.py").write_text("1 / 0\n")
    x = np.random.default_rng(0).normal(size=(20, 4))
    np.savez("data.npz", x=x, y=np.arange(20) % 3)
    np.savez("other.npz", a=x)
    np.savez("unclear.npz", X=x, inputs=x)
    Path("torn.npz").write_bytes(Path("data.npz").read_bytes()[:-40])
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in ("net", "wrong"):
        sys.modules.pop(name, None)


def ask(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    assert start(["diagnose", *words, "-n", "2", "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("net.py:Net", "--data", "net.py:pair"), "60 examples from net.py:pair"),
        (("net.py:Net", "--data", "net.py:four"), "40 examples and 20 to test"),
        (("net.py:Net", "--data", "net.py:split_four"), "40 examples and 20 to test"),
        (("net.py:Net", "--data", "net.py:named"), "40 examples and 20 to test"),
        (("net.py:Net", "--data", "net.py:dataset"), "60 examples"),
        (("net.py:Net", "--data", "net.py:loader"), "60 examples"),
        (("net.py:Net", "--data", "data.npz"), "20 examples from data.npz"),
        (("net.py:Net", "--data", "net.py:pair", "--loss", "net.py:my_loss"), "loss: net.py:my_loss"),
        (
            ("net.py:Net", "--data", "net.py:pair", "--optimizer", "net.py:my_optimizer"),
            "Trained by net.py:my_optimizer",
        ),
        (("net.py:Net", "--data", "net.py:pair", "--optimizer", "rmsprop", "--lr", "0.02"), "RMSprop (lr 0.02)"),
        (("net.py:Net", "--data", "net.py:pair", "--loss", "nll"), "loss: nll_loss"),
    ],
)
def test_what_can_be_named(words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, *words, "--epochs", "1")
    assert said in str(found["training"])
    assert [course["seed"] for course in found["courses"]] == [1, 2]  # type: ignore[attr-defined]


def test_a_described_training_is_used_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    found = ask(capsys, "net.py:described")
    assert "Trained by my_optimizer for 2 epochs in batches of 16; loss: CrossEntropyLoss" in str(found["training"])
    assert "for 1 epochs in batches of 16" in str(ask(capsys, "net.py:described", "--epochs", "1")["training"])


def test_what_is_described_and_not_done_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Described, and not done here: clip_norm." in str(ask(capsys, "net.py:clipped")["training"])
    assert "not done" not in str(ask(capsys, "net.py:described")["training"])


def test_data_that_are_drawn_are_the_same_at_every_call_and_no_generator_moves(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ("net.py:Net", "--data", "net.py:drawn", "--epochs", "1")
    torch.manual_seed(3)
    before = torch.get_rng_state()
    first = ask(capsys, *words)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    assert ask(capsys, *words) == first


def test_an_error_is_placed_in_the_users_own_file_though_torch_lies_in_the_same_folder(
    capsys: pytest.CaptureFixture[str],
) -> None:
    library = Path(".venv/lib/python3.11/site-packages/library.py")
    library.parent.mkdir(parents=True)
    library.write_text("def fail():\n    raise ValueError('no')\n")
    sys.path.append(str(library.parent.absolute()))
    Path("net.py").write_text(f"{FILE}\nimport library\ndef data(): library.fail()\n")
    assert start(["diagnose", "net.py:Net"]) == 2
    line = Path("net.py").read_text().splitlines().index("def data(): library.fail()") + 1
    assert f"failed at net.py:{line} in data: ValueError: no" in " ".join(capsys.readouterr().err.split())


def test_a_setting_reaches_the_network_and_its_trouble_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["diagnose", "net.py:Net", "--data", "net.py:pair", "--epochs", "2", "-n", "2", "--set", "start=zeros"]
    assert start([*words, "--set", "width=6"]) == 0
    printed = capsys.readouterr()
    assert "Identical units in hidden: 6 of 6" in " ".join(printed.out.split())
    assert "loss: cross_entropy (since targets are whole numbers" in " ".join(printed.out.split())
    assert "seed 2 trained, 2 of 2" in printed.err
    before = torch.get_num_threads()
    assert start(words) == 0
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("net.py",), "which network?"),
        (("nothing.py:Net",), "no such script: nothing.py"),
        (("wrong.py:Net",), "wrong.py cannot be imported: ZeroDivisionError"),
        (("net.py:Met",), "did you mean Net?"),
        (("net.py:X",), "no function or class"),
        (("net.py:number",), "gives int"),
        (("net.py:Net",), "which data? --data"),
        (("net.py:Net", "--set", "depth=3"), "unexpected keyword argument 'depth'"),
        (("net.py:Net", "--data", "net.py:needs"), "missing a required argument: 'k'"),
        (
            ("net.py:Net", "--data", "net.py:broken"),
            f"net.py:broken failed at net.py:{LINE} in broken: ZeroDivisionError",
        ),
        (("net.py:Net", "--data", "net.py:halves"), "which are which?"),
        (("net.py:Net", "--data", "net.py:number"), "(inputs, targets)"),
        (("net.py:Net", "--data", "table.csv"), "FILE.py:NAME or FILE.npz"),
        (("net.py:Net", "--data", "none.npz"), "no such file"),
        (("net.py:Net", "--data", "other.npz"), "arrays x and y"),
        (("net.py:Net", "--data", "unclear.npz"), "arrays x and y"),
        (("net.py:Net", "--data", "torn.npz"), "torn.npz is no archive of arrays"),
        (("net.py:One", "--data", "net.py:pair"), "loss: cross_entropy (since targets are whole numbers"),
        (("net.py:misspelt",), "gives epoch, which a description does not have"),
        (("net.py:unclear",), "the optimizer that is described is no function"),
        (("net.py:half_epochs",), "epochs is a whole number; the training that is described has 2.5"),
        (("net.py:Net", "--data", "net.py:pair", "--loss", "crossentropy"), "did you mean cross_entropy?"),
        (("net.py:Net", "--data", "net.py:pair", "--loss", "net.py:rows"), "gives one number"),
        (("net.py:Net", "--data", "net.py:pair", "--optimizer", "adm"), "did you mean adam?"),
        (("net.py:Net", "--data", "net.py:pair", "--lr", "0"), "--lr is above 0"),
        (("net.py:described", "--lr", "1"), "--lr would be ignored"),
        (
            ("net.py:Net", "--data", "net.py:pair", "--optimizer", "net.py:my_optimizer", "--lr", "1"),
            "would be ignored",
        ),
        (("net.py:Net", "--data", "net.py:pair", "--epochs", "0"), "--epochs is 1 or more"),
        (("net.py:Net", "--data", "net.py:pair", "-n", "1"), "from two seeds on"),
        (("net.py:Net", "--data", "net.py:pair", "-n", "2", "--seeds", "1,2"), "not both"),
        (("net.py:One", "--data", "net.py:flat"), "torch would compare each with all"),
        (("net.py:One", "--data", "net.py:pair", "--loss", "mse"), "torch would compare each with all"),
    ],
)
def test_what_is_wrong_is_a_line_and_exit_2(
    words: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(["diagnose", *words]) == 2
    printed = capsys.readouterr()
    assert said in " ".join(printed.err.split())
    assert printed.out == ""
