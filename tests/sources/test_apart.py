"""Sources of randomness apart: what is held draws what a plain run draws, bit for bit."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import seedwise as sw
from seedwise.errors import UsageError

pytest.importorskip("torch")
Script = Callable[..., list[str]]

ALL = """
import random, zlib
import numpy as np
import torch, torch.nn as nn, torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset, random_split

torch.manual_seed(42); np.random.seed(42); random.seed(42)

def told(name, values):
    print(name, "=", zlib.crc32(np.asarray(values, dtype=float).tobytes()))

class Rows(Dataset):
    def __init__(self):
        self.x = torch.randn(60, 6)
        self.seen = []
    def __len__(self):
        return 60
    def __getitem__(self, k):
        noise = np.random.normal(0, 0.1, 6)
        self.seen.append(noise)
        return k, (self.x[k] + torch.from_numpy(noise)).float()

rows = Rows()
part, _ = random_split(rows, [40, 20])
net = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 1))
told("data", rows.x)
told("split", part.indices)
told("init", torch.cat([p.detach().flatten() for p in net.parameters()]))
places, masks = [], []
for epoch in range(3):
    for k, x in DataLoader(part, batch_size=10, shuffle=True):
        places += [part.indices.index(int(i)) for i in k]
        masks.append(F.dropout(torch.ones(8), 0.5))
        net(x).sum().backward()
told("order", places)
told("dropout", torch.stack(masks))
told("augment", np.stack(rows.seen))
told("python", [random.random()])
print("total =", float(sum(p.grad.abs().sum() for p in net.parameters())))
"""
SOURCES = ("init", "order", "dropout", "augment", "split")


def plain(command: list[str]) -> str:
    return subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    ).stdout


def lines(run: sw.Run) -> dict[str, str]:
    return as_lines(Path(str(run.folder), "stdout").read_text())


def as_lines(text: str) -> dict[str, str]:
    return dict(line.split(" = ") for line in text.splitlines())  # type: ignore[misc]


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
def test_one_source_varies_and_every_other_draws_the_bits_of_a_plain_run(script: Script, source: str) -> None:
    command = script(ALL)
    typed = as_lines(plain(command))
    results = sw.run_script(command, [1, 2], vary=source)
    first, second = map(lines, results.finished)
    for name in (*SOURCES, "data", "python"):
        if name == source:
            assert len({typed[name], first[name], second[name]}) == 3
        else:
            assert typed[name] == first[name] == second[name], name
    assert first["total"] != second["total"]
    assert not [w for w in results.warnings if "held" in w]


@pytest.mark.slow
def test_several_sources_vary_together_each_as_it_does_alone(script: Script) -> None:
    command = script(ALL)
    both = lines(sw.run_script(command, [3], vary=("init", "dropout"), name="both").finished[0])
    for source in ("init", "dropout"):
        alone = lines(sw.run_script(command, [3], vary=source, name=source).finished[0])
        assert alone[source] == both[source]
    typed = as_lines(plain(command))
    assert [both[name] for name in ("order", "split", "augment", "data")] == [
        typed[name] for name in ("order", "split", "augment", "data")
    ]


@pytest.mark.slow
def test_with_a_source_that_is_never_drawn_from_every_run_is_the_plain_one(script: Script) -> None:
    text = "import torch\ntorch.manual_seed(5)\nprint('acc =', torch.nn.Linear(3, 3).weight.sum().item())\n"
    command = script(text)
    results = sw.run_script(command, [1, 2], vary="dropout")
    assert [run.series["acc"].values for run in results.finished] == [(float(plain(command).split("=")[1]),)] * 2
    assert any("no draw belongs to dropout" in text and "init" in text for text in results.warnings)


@pytest.mark.slow
def test_the_ledger_names_lines_and_numbers_of_draws_and_a_line_can_be_corrected(script: Script) -> None:
    text = """
import torch
torch.manual_seed(1)
w = torch.nn.Linear(2, 2)
noise = torch.rand(3)
print("noise =", noise.sum().item())
"""
    command = script(text)
    before = sw.run_script(command, [1], vary="init")
    assert {(d.source, d.count, d.varied) for d in before.draws} == {("init", 2, True), ("other", 1, False)}
    init = next(d for d in before.draws if d.source == "init")
    assert [place.rpartition("/")[2] for place in init.lines] == ["train.py:4"]
    said = sw.run_script(command, [1, 2], vary="augment", source="train.py:5=augment", name="said")
    assert [d.source for d in said.draws] == ["augment", "init"]
    assert len({run.series["noise"].values for run in said.finished}) == 2
    wrong = sw.run_script(command, [1], vary="init", source="train.py:2=augment", name="wrong")
    assert any("train.py:2: nothing is drawn there" in text for text in wrong.warnings)


@pytest.mark.slow
def test_a_source_that_cannot_be_held_because_the_script_stops_early_is_named(script: Script) -> None:
    text = """
import torch
torch.manual_seed(1)
w = torch.nn.Linear(50, 2)
for step in range(3 + int(abs(w.weight.sum().item() * 100)) % 17):
    torch.nn.functional.dropout(torch.ones(4))
order = torch.randperm(10)
print("acc =", float(order[0]))
"""
    results = sw.run_script(script(text), [1, 2, 3], vary="init")
    assert any("order was not held" in text and "init,order" in text for text in results.warnings)


@pytest.mark.slow
def test_a_script_that_seeds_itself_again_is_told(script: Script) -> None:
    text = """
import torch
first = []
for epoch in range(4):
    torch.manual_seed(7)
    first.append(float(torch.randperm(1000)[0]))
print("acc =", first[0], "and", len(set(first)))
"""
    results = sw.run_script(script(text), [1, 2], vary="order", metric="acc")
    assert any("seeds itself again, 4 times at train.py:5" in text for text in results.warnings)
    assert len(set(results.scores("acc").values.tolist())) == 2


@pytest.mark.slow
def test_workers_of_a_loader_draw_for_augment_and_leave_the_order_alone(script: Script) -> None:
    text = """
import torch
from torch.utils.data import DataLoader, Dataset
torch.manual_seed(3)
class Rows(Dataset):
    def __len__(self): return 12
    def __getitem__(self, k): return k, torch.rand(1)
order, noise = [], []
for epoch in range(2):
    for k, x in DataLoader(Rows(), batch_size=3, shuffle=True, num_workers=2):
        order += k.tolist(); noise += x.flatten().tolist()
print("order =", hash(tuple(order)) % 10**9, flush=True)
print("noise =", sum(noise), len(set(noise)))
"""
    command = script(text)
    typed = plain(command).splitlines()
    for source in ("augment", "order"):
        results = sw.run_script(command, [1, 2], vary=source, name=source, metric="noise")
        printed = [Path(str(run.folder), "stdout").read_text().splitlines() for run in results.finished]
        changed = [len({typed[k], printed[0][k], printed[1][k]}) == 3 for k in (0, 1)]
        assert changed == [source == "order", source == "augment"]
        assert all(text[1].endswith(" 24") for text in printed)  # no two workers and no two epochs draw alike
        assert next(d.count for d in results.draws if d.source == "augment") == 24


@pytest.mark.slow
def test_a_split_with_a_seed_of_its_own_varies_alone(script: Script) -> None:
    pytest.importorskip("sklearn")
    text = """
import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.ensemble import RandomForestClassifier
SEED = 11
np.random.seed(SEED)
X = np.random.rand(80, 3); y = (X[:, 0] > 0.5).astype(int)
a, b, c, d = train_test_split(X, y, random_state=SEED)
print("forest =", RandomForestClassifier(5, random_state=SEED).fit(X, y).predict_proba(X).sum())
print("data =", X.sum())
print("acc =", b.sum())
"""
    command = script(text)
    typed = as_lines(plain(command))
    results = sw.run_script(command, [1, 2], vary="split")
    found = [lines(run) for run in results.finished]
    assert len({typed["acc"], *(one["acc"] for one in found)}) == 3
    assert all((one["data"], one["forest"]) == (typed["data"], typed["forest"]) for one in found)


@pytest.mark.slow
def test_a_function_is_called_with_its_own_seed_and_one_source_varies(project: Path) -> None:
    def train(seed: int) -> dict[str, float]:
        import torch

        torch.manual_seed(seed)
        layer = torch.nn.Linear(4, 4)
        return {"init": layer.weight.sum().item(), "order": float(torch.randperm(1000)[0]), "seed": seed}

    results = sw.run(train, [1, 2, 3], vary="init", metric=["init", "order", "seed"])
    assert len(set(results.scores("init").values.tolist())) == 3
    assert len(set(results.scores("order").values.tolist())) == 1
    assert set(results.scores("seed").values.tolist()) == {0.0}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"vary": "inti"}, "did you mean init"),
        ({"vary": ("init", "init")}, "init stands twice"),
        ({"vary": "init", "keep": "split"}, "keep"),
        ({"vary": "init", "seed_site": "train.py:1"}, "seed_site"),
        ({"source": "train.py:3=init"}, "goes with"),
        ({"vary": "init", "source": "train.py=init"}, "FILE:LINE=SOURCE"),
    ],
)
def test_what_does_not_go_together_is_refused(script: Script, options: dict[str, object], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        sw.run_script(script("seed = 1\n"), [1], **options)  # type: ignore[arg-type]


def test_a_seed_in_the_command_has_no_value_of_its_own(script: Script) -> None:
    with pytest.raises(UsageError, match="write the seed as the script takes it"):
        sw.run_script([*script("print(1)"), "{seed}"], [1], vary="init")


def test_sources_are_another_experiment_than_seeds(script: Script) -> None:
    command = script(
        "import random\nrandom.seed(3)\nrows = list(range(9))\nrandom.shuffle(rows)\nprint('acc =', rows[0])"
    )
    seeds = sw.run_script(command, [1])
    order = sw.run_script(command, [1], vary="order")
    assert (seeds.name, order.name) == ("train", "train@2")
    assert [d.source for d in order.draws] == ["order"]
    assert sys.executable in order.command


@pytest.mark.slow
def test_one_generator_of_a_scikit_learn_network_is_weights_here_and_order_there(script: Script) -> None:
    pytest.importorskip("sklearn")
    text = """
import warnings; warnings.simplefilter("ignore")
import numpy as np
from sklearn.neural_network import MLPClassifier
class Told(MLPClassifier):
    def _backprop(self, X, *rest):
        if not hasattr(self, "first"):
            self.first = (float(self.coefs_[0].sum()), float(X[:, 0].sum()))
        return super()._backprop(X, *rest)
rng = np.random.RandomState(0)
X = rng.randn(100, 3); y = (X[:, 0] > 0).astype(int)
net = Told((4,), max_iter=2, batch_size=10, random_state=42).fit(X, y)
print("init =", net.first[0])
print("order =", net.first[1])
print("data =", X.sum())
"""
    command = script(text)
    typed = as_lines(plain(command))
    for source in ("init", "order"):
        results = sw.run_script(command, [1, 2], vary=source, name=source)
        found = [typed, *map(lines, results.finished)]
        assert len({one[source] for one in found}) == 3
        other = "order" if source == "init" else "init"
        assert len({one[other] for one in found}) == len({one["data"] for one in found}) == 1


@pytest.mark.slow
def test_generators_of_numpy_can_be_pickled_and_are_what_they_were(script: Script) -> None:
    text = """
import pickle
import numpy as np
rng, old = np.random.default_rng(3), np.random.RandomState(4)
assert isinstance(rng, np.random.Generator) and isinstance(old, np.random.RandomState)
assert isinstance(np.random.mtrand._rand, np.random.RandomState)
again, older = pickle.loads(pickle.dumps((rng, old)))
assert (again.random(), older.rand()) == (rng.random(), old.rand())
print("acc =", rng.permutation(50)[0] + old.permutation(50)[0] / 100)
"""
    command = script(text)
    assert as_lines(plain(command))["acc"] == lines(sw.run_script(command, [1], vary="init").finished[0])["acc"]
    varied = sw.run_script(command, [1, 2], vary="order", name="varied")
    assert len(set(varied.scores("acc").values.tolist())) == 2


@pytest.mark.slow
def test_scripted_modules_compile_as_before(script: Script) -> None:
    text = """
import torch
torch.manual_seed(1)
net = torch.jit.script(torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Dropout(0.5)))
torch.set_default_device("cpu")
print("acc =", float(net(torch.ones(2, 3)).sum()), torch.rand(1).item())
"""
    command = script(text)
    found = sw.run_script(command, [1], vary="order", metric="acc")
    assert Path(str(found.finished[0].folder), "stdout").read_text() == plain(command)


@pytest.mark.slow
@pytest.mark.parametrize(("source", "varies"), [("order", {"py_order", "gen_order"}), ("split", {"split"})])
def test_instances_of_generators_and_the_one_that_libraries_take_are_seen(
    script: Script, source: str, varies: set[str]
) -> None:
    pytest.importorskip("sklearn")
    text = """
import copy, pickle, random, tempfile
import numpy as np
np.random.seed(5)
own, new = random.Random(3), np.random.Generator(np.random.PCG64(4))
from sklearn.model_selection import train_test_split
import scipy.stats
print("py_order =", hash(tuple(own.sample(range(100), 5))))
print("py =", own.random())
print("gen_order =", hash(tuple(new.permutation(30).tolist())))
print("gen =", new.normal())
print("raw =", np.random.PCG64(9).random_raw())
print("split =", hash(tuple(train_test_split(np.arange(30))[0].tolist())))
print("scipy =", scipy.stats.norm.rvs())
print("one_kept =", np.random.randn(), np.random.rand(), np.random.randn())
tempfile.mkdtemp()
class Own(np.random.RandomState): pass
assert isinstance(Own(1), np.random.RandomState) and not isinstance(np.random.RandomState(1), Own)
ours = (own, new, np.random.PCG64(1), np.random.mtrand._rand)
for made in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
    assert made[3].get_state()[2] == np.random.get_state()[2]
    assert made[1].bit_generator.state == new.bit_generator.state and made[2].state == np.random.PCG64(1).state
"""
    command = script(text)
    typed = as_lines(plain(command))
    results = sw.run_script(command, [1, 2], vary=source, metric="py")
    found = [lines(run) for run in results.finished]
    assert {name for name in typed if len({typed[name], *(one[name] for one in found)}) == 3} == varies
    assert all(one[name] == typed[name] for one in found for name in typed if name not in varies)
    assert not [w for w in results.warnings if "held" in w or "moved" in w]


@pytest.mark.slow
def test_a_shift_between_two_powers_of_two_is_seen(script: Script) -> None:
    text = """
import torch
torch.manual_seed(1)
w = torch.nn.Linear(50, 2)
for epoch in range(7):
    order = torch.randperm(10)
    if epoch == 4 and w.weight.sum() > 0:
        torch.rand(1)
print("acc =", float(order[0]))
"""
    results = sw.run_script(script(text), range(1, 6), vary="init")
    assert any("order was not held" in text for text in results.warnings)


@pytest.mark.slow
def test_draws_that_nobody_sees_are_told(script: Script) -> None:
    text = """
import torch
torch.manual_seed(1)
first = torch.randperm(9)
torch.ops.aten.rand([3])
state = torch.get_rng_state(); torch.rand(2); torch.set_rng_state(state)
print("acc =", float(torch.randperm(9)[0] + first[0]))
"""
    results = sw.run_script(script(text), [1, 2], vary="order")
    told = [text for text in results.warnings if "without a draw that Seedwise sees" in text]
    assert [text.partition(" without")[0] for text in told] == ["torch's generator moved before train.py:6"]
    fine = sw.run_script(script(text.replace("torch.ops.aten.rand([3])", "")), [1], vary="order", name="fine")
    assert not [text for text in fine.warnings if "moved" in text]
