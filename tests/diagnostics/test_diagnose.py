"""Networks with planted troubles, and without: what `diagnose` says of them, and where."""

import copy
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pytest

import seedwise as sw
from seedwise.diagnostics import Diagnosis, Trouble

torch = pytest.importorskip("torch")
nn = torch.nn

DRAW = torch.Generator().manual_seed(0)
X = torch.randn(120, 8, generator=DRAW)
Y = (X @ torch.randn(8, 3, generator=DRAW)).argmax(1)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


Start = Callable[[object], object]


def mlp(depth: int, start: Start, act: type = nn.ReLU) -> Callable[[], object]:
    def build() -> object:
        widths = [8] + [16] * depth
        layers: list[object] = []
        for a, b in pairwise(widths):
            layers += [nn.Linear(a, b), act()]
        layers.append(nn.Linear(widths[-1], 3))
        for layer in layers:
            if isinstance(layer, nn.Linear):
                nn.init.zeros_(layer.bias)
                start(layer)
        return nn.Sequential(*layers)

    return build


def he(layer: object) -> None:
    nn.init.kaiming_normal_(layer.weight)  # type: ignore[attr-defined]


def normal(sd: float) -> Start:
    return lambda layer: nn.init.normal_(layer.weight, 0, sd)  # type: ignore[attr-defined]


def constant(value: float) -> Start:
    return lambda layer: nn.init.constant_(layer.weight, value)  # type: ignore[attr-defined]


def out_of_reach(layer: object) -> None:
    he(layer)
    if layer.out_features == 16:  # type: ignore[attr-defined]
        nn.init.constant_(layer.bias, -50)  # type: ignore[attr-defined]


def ask(model: Callable[[], object], epochs: int = 2, lr: float = 0.05, seeds: object = (1, 2)) -> Diagnosis:
    return sw.diagnose(
        model,
        (X, Y),
        loss=nn.functional.cross_entropy,
        optimizer=lambda p: torch.optim.SGD(p, lr=lr),
        epochs=epochs,
        seeds=seeds,
    )


def test_a_network_that_starts_well_has_no_trouble_in_any_layer() -> None:
    for found in (ask(mlp(8, he)), ask(mlp(3, lambda m: nn.init.xavier_uniform_(m.weight), nn.Tanh))):  # type: ignore[attr-defined]
        layers = {Trouble.VANISHING, Trouble.EXPLODING, Trouble.IDENTICAL, Trouble.DEAD, Trouble.SATURATED}
        assert not layers & {finding.trouble for finding in found.findings}
        assert not found.has("diverged")


def test_weights_too_small_make_gradients_vanish_in_the_first_layer() -> None:
    found = ask(mlp(6, normal(0.01)))
    finding = next(f for f in found.findings if f.trouble is Trouble.VANISHING)
    assert finding.where == "0 (Linear)"
    assert finding.seeds == (1, 2)
    assert "Vanishing gradients in 0 (Linear): at the start" in finding.sentence


def test_weights_too_large_make_gradients_explode() -> None:
    found = ask(mlp(6, normal(3.0)), lr=1e-9)
    assert next(f for f in found.findings if f.trouble is Trouble.EXPLODING).where == "0 (Linear)"
    assert not found.has("diverged")


def test_a_loss_that_is_no_number_any_more_is_said_and_ends_that_seed() -> None:
    found = ask(mlp(3, he), epochs=30, lr=1e12)
    assert found.has("diverged")
    assert all(len(course.losses) < 31 for course in found.courses)
    assert found.paths == ()


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_constant_weights_keep_units_identical(value: float) -> None:
    found = ask(mlp(2, constant(value), nn.Tanh))
    identical = [f for f in found.findings if f.trouble is Trouble.IDENTICAL]
    assert [f.where for f in identical] == ["0 (Linear)", "2 (Linear)"]
    assert identical[0].value == 16


def test_units_that_nothing_reaches_are_dead() -> None:
    found = ask(mlp(1, out_of_reach))
    finding = next(f for f in found.findings if f.trouble is Trouble.DEAD)
    assert (finding.where, finding.value) == ("0 (Linear)", 1.0)


def test_large_weights_saturate_a_tanh_whether_it_is_a_module_or_a_function() -> None:
    class Functional(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.out = nn.Linear(8, 16), nn.Linear(16, 3)
            nn.init.normal_(self.hidden.weight, 0, 4)

        def forward(self, x: object) -> object:
            return self.out(self.hidden(x).tanh())

    assert next(f for f in ask(mlp(1, normal(4.0), nn.Tanh)).findings if f.trouble is Trouble.SATURATED).value > 0.5
    functional = ask(Functional)
    assert next(f for f in functional.findings if f.trouble is Trouble.SATURATED).where == "hidden"


def test_solutions_of_a_hidden_layer_lie_in_different_basins_and_those_of_a_convex_loss_in_one() -> None:
    deep = ask(mlp(2, he), epochs=25, lr=0.2, seeds=(1, 2, 3))
    assert next(f for f in deep.findings if f.trouble is Trouble.BASINS).seeds == (1, 2, 3)
    assert len(deep.paths) == 3
    convex = ask(mlp(0, he), epochs=25, lr=0.2, seeds=(1, 2, 3))
    assert not convex.has(Trouble.BASINS)
    assert max(path.barrier for path in convex.paths) <= 1e-6


def test_batch_norm_does_not_make_a_barrier_where_there_is_none() -> None:
    """The same function twice, with weights of another size before the norm; so is every network between."""
    from seedwise.diagnostics.training import Setup, _normalise_anew, along_the_line

    def build() -> object:
        return nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))

    setup = Setup(build, X, Y, nn.functional.cross_entropy, lambda p: torch.optim.SGD(p, lr=0.1), 1, 32, X)
    with sw.seeded(1):
        one = build()
    other = copy.deepcopy(one)
    with torch.no_grad():
        other[0].weight.mul_(30)  # type: ignore[index]
        other[0].bias.mul_(30)  # type: ignore[index]
    for net in (one, other):
        _normalise_anew(net, X)
    losses = along_the_line(one, other, setup)
    assert losses.max() - losses.min() < 1e-3 * losses[0]


def test_saddle_points_at_the_start_are_flat_stretches() -> None:
    """Three linear layers with small weights learn in steps (Saxe et al. 2014)."""

    def build() -> object:
        net = nn.Sequential(*(nn.Linear(8, 8, bias=False) for _ in range(2)), nn.Linear(8, 1, bias=False))
        for layer in net:
            nn.init.normal_(layer.weight, 0, 0.03)
        return net

    target = X[:, :1] * 2
    found = sw.diagnose(
        build,
        (X, target),
        loss=nn.functional.mse_loss,
        optimizer=lambda p: torch.optim.SGD(p, lr=0.1),
        epochs=120,
        batch_size=120,
        seeds=(1, 2),
    )
    assert found.has(Trouble.FLAT)
    assert all(course.flat and course.flat[0][0] == 0 for course in found.courses)


def test_the_examples_that_flip_are_those_on_which_seeds_differ() -> None:
    noise = torch.randint(0, 3, (120,), generator=torch.Generator().manual_seed(5))
    given = {
        "loss": nn.functional.cross_entropy,
        "optimizer": lambda p: torch.optim.SGD(p, lr=0.1),
        "epochs": 1,
        "seeds": (1, 2, 3),
    }
    found = sw.diagnose(mlp(2, he), (X, noise), test=(X[:40], noise[:40]), **given)  # type: ignore[arg-type]
    assert found.has(Trouble.DISAGREEMENT)
    assert found.agreement is not None
    assert 0 < len(found.agreement.examples) <= 40
    assert "test examples" in str(found)
    same = sw.diagnose(mlp(2, constant(0.0)), (X, noise), **given)  # type: ignore[arg-type]
    assert not same.has(Trouble.DISAGREEMENT)


def test_values_are_compared_by_their_variance() -> None:
    found = sw.diagnose(
        lambda: nn.Linear(8, 1),
        (X.numpy(), X.numpy().sum(axis=1, keepdims=True)),
        loss=nn.functional.mse_loss,
        optimizer=lambda p: torch.optim.SGD(p, lr=0.1),
        epochs=2,
        seeds=(1, 2),
    )
    assert not found.labels
    assert found.agreement is not None
    assert found.agreement.examples == ()


def test_the_same_bits_again_and_no_generator_moves() -> None:
    def build() -> object:
        return nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 3))

    torch.manual_seed(3)
    np.random.seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()
    first = ask(build)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[1].tolist()
    assert first == ask(build)


def test_looking_does_not_change_what_is_trained() -> None:
    """Losses are those of a plain loop under the same seed."""
    found = ask(mlp(2, he), epochs=3)
    with sw.seeded(1):
        net = mlp(2, he)()
        steps = torch.optim.SGD(net.parameters(), lr=0.05)  # type: ignore[attr-defined]
        for _ in range(3):
            for batch in torch.randperm(120).split(32):
                steps.zero_grad()
                nn.functional.cross_entropy(net(X[batch]), Y[batch]).backward()  # type: ignore[operator]
                steps.step()
        last = float(nn.functional.cross_entropy(net(X), Y).detach())  # type: ignore[operator]
    assert found.courses[0].losses[-1] == last


def test_convolutions_recurrent_and_shared_layers_are_looked_at() -> None:
    class Odd(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm, self.relu = nn.Conv1d(1, 4, 3), nn.BatchNorm1d(4), nn.ReLU(inplace=True)
            self.lstm, self.shared, self.out = nn.LSTM(4, 5, batch_first=True), nn.Linear(5, 5), nn.Linear(5, 3)

        def forward(self, x: object) -> object:
            x = self.relu(self.norm(self.conv(x[:, None])))  # type: ignore[index]
            x = self.lstm(x.transpose(1, 2))[0][:, -1]
            return self.out(self.shared(self.shared(x).relu()).relu())

    found = ask(Odd)
    assert [(layer.name, layer.units) for layer in found.layers] == [
        ("conv", 4),
        ("lstm", 5),
        ("shared", 5),
        ("out", 3),
    ]
    assert all(layer.gradient_at_start is not None and layer.gradient_at_start > 0 for layer in found.layers)


def test_it_prints_and_becomes_json() -> None:
    found = ask(mlp(2, constant(0.0)))
    text = " ".join(str(found).split())
    assert "Found under 2 seeds: vanishing gradients" in text
    assert "gradient at start" in text
    assert json.loads(json.dumps(found.as_dict()))["findings"][0]["trouble"] == "vanishing gradients"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"epochs": 0}, "epochs is a whole number"),
        ({"seeds": [1]}, "from two seeds on"),
        ({"seeds": 5}, "not how many"),
        ({"model": nn.Linear(8, 3)}, "a network already"),
        ({"train": (X, Y[:5])}, "as many targets"),
        ({"train": X}, "is \\(inputs, targets\\)"),
        ({"train": (X * float("nan"), Y)}, "NaN"),
        ({"loss": "mse"}, "loss is a function"),
        ({"model": lambda: 3}, "it gave int"),
        ({"model": lambda: nn.LSTM(8, 3)}, "the network gives tuple"),
    ],
)
def test_what_cannot_be_diagnosed_is_said(changed: dict[str, object], said: str) -> None:
    given: dict[str, object] = {
        "model": mlp(1, he),
        "train": (X, Y),
        "loss": nn.functional.cross_entropy,
        "optimizer": lambda p: torch.optim.SGD(p, lr=0.1),
        "epochs": 1,
        "seeds": (1, 2),
        **changed,
    }
    with pytest.raises(sw.UsageError, match=said):
        sw.diagnose(**given)  # type: ignore[arg-type]


def looked_at(net: object) -> list[object]:
    from seedwise.diagnostics.looking import look

    return [(of.name, of.gradient, of.dead.tolist()) for of in look(net, nn.functional.cross_entropy, X, Y)]  # type: ignore[arg-type]


def test_looking_leaves_the_network_as_it_was() -> None:
    net = nn.Sequential(nn.Linear(8, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3))
    before = copy.deepcopy(net.state_dict())
    looked_at(net)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert all(p.grad is None for p in net.parameters())


def test_dropout_hides_no_unit_from_the_look() -> None:
    net = nn.Sequential(nn.Linear(8, 16), nn.Dropout(0.9), nn.Linear(16, 3))
    there = looked_at(net)
    net[1].p = 0.0
    assert there == looked_at(net)


def test_where_nothing_is_left_to_learn_no_unit_is_called_dead() -> None:
    found = sw.diagnose(
        mlp(1, he),
        (X, Y),
        loss=lambda out, _: out.sum() * 0.0,
        optimizer=lambda p: torch.optim.SGD(p, lr=0.1),
        epochs=1,
        seeds=(1, 2),
    )
    assert not found.has(Trouble.DEAD)
    assert found.layers[0].dead is None


def test_torch_is_loaded_only_to_train() -> None:
    code = "import sys, seedwise as sw; sw.diagnose, sw.Diagnosis; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_layer_whose_weight_is_normed_is_a_layer() -> None:
    for norm in (nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm):
        found = ask(lambda norm=norm: nn.Sequential(norm(nn.Linear(8, 5)), nn.ReLU(), nn.Linear(5, 3)))  # type: ignore[misc]
        assert [(layer.name, layer.units) for layer in found.layers] == [("0 (Linear)", 5), ("2 (Linear)", 3)]


def test_training_that_gains_next_to_nothing_is_said_and_names_no_basins() -> None:
    found = ask(mlp(2, he), epochs=1, lr=1e-4)
    assert found.learned_little
    assert not found.has(Trouble.BASINS)
    assert "Training gained too little" in str(found)
    assert [course.needed for course in found.courses] == [None, None]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_scripted_network_cannot_be_looked_into() -> None:
    with pytest.raises(sw.UsageError, match="scripted network"):
        ask(lambda: torch.jit.script(nn.Linear(8, 3)))
