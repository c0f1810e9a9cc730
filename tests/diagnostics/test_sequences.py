"""Recurrent layers and attention: what is planted inside them is found, and what is sound is not."""

from collections.abc import Callable, Iterator

import pytest

import seedwise as sw
from seedwise.diagnostics import Trouble

torch = pytest.importorskip("torch")
nn = torch.nn

STEPS, EXAMPLES = 60, 32
X = torch.randn(EXAMPLES, STEPS, 3, generator=torch.Generator().manual_seed(0))
Y = X[:, -1, :1] * 2


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Small steps in a row gain nothing from a second thread, and wait for it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Reader(nn.Module):  # type: ignore[misc, name-defined]
    """A recurrent layer that reads all steps; the last output is what counts."""

    def __init__(self, layer: Callable[[], object], by_state: bool = False) -> None:
        super().__init__()
        self.recurrent = layer()
        self.by_state = by_state
        self.out = nn.Linear(self.recurrent.hidden_size, 1)

    def forward(self, x: object) -> object:
        if not self.recurrent.batch_first:
            x = x.transpose(0, 1)  # type: ignore[attr-defined]
        output, state = self.recurrent(x)
        if self.by_state:
            return self.out((state[0] if isinstance(state, tuple) else state)[-1])
        return self.out(output[:, -1] if self.recurrent.batch_first else output[-1])


def lstm(forget: float = 0.0, scale: float = 1.0, **how: object) -> Callable[[], object]:
    def build() -> object:
        layer = nn.LSTM(3, 8, batch_first=how.pop("batch_first", True), **how)
        with torch.no_grad():
            layer.bias_ih_l0[8:16] += forget
            for weight in (layer.weight_ih_l0, layer.weight_hh_l0):
                weight.mul_(scale)
        return layer

    return build


def plain(gain: float, nonlinearity: str = "relu") -> Callable[[], object]:
    def build() -> object:
        layer = nn.RNN(3, 8, batch_first=True, nonlinearity=nonlinearity)
        with torch.no_grad():
            layer.weight_hh_l0.copy_(gain * torch.eye(8))
            layer.weight_ih_l0.abs_()
            layer.bias_hh_l0.zero_()
            layer.bias_ih_l0.fill_(1.0)
        return layer

    return build


def ask(model: Callable[[], object], lr: float = 1e-4, x: object = X, y: object = Y) -> sw.Diagnosis:
    return sw.diagnose(
        model,  # type: ignore[arg-type]
        (x, y),
        loss=nn.functional.mse_loss,
        optimizer=lambda p: torch.optim.SGD(p, lr=lr),
        epochs=1,
        seeds=(1, 2),
    )


def through_time(found: sw.Diagnosis) -> list[tuple[str, str]]:
    return [(f.trouble.value, f.where) for f in found.findings if "through time" in f.sentence]


@pytest.mark.parametrize("by_state", [False, True])
@pytest.mark.parametrize("batch_first", [True, False])
def test_an_lstm_forgets_its_first_step_unless_its_forget_gates_are_open(by_state: bool, batch_first: bool) -> None:
    """Gates of one half lose the gradient at 2^-60; a bias of 4 lets it through (Gers et al. 2000; Jozefowicz et al. 2015)."""
    closed = ask(lambda: Reader(lstm(0.0, batch_first=batch_first), by_state))
    assert through_time(closed) == [("vanishing gradients", "recurrent")]
    assert "the gradient of the first of 60 steps is" in " ".join(str(closed).split())
    assert "first / last step" in str(closed)
    opened = ask(lambda: Reader(lstm(4.0, batch_first=batch_first), by_state))
    assert through_time(opened) == []
    assert opened.layers[0].through_time is not None
    assert opened.layers[0].through_time > 1e-3
    assert opened.layers[0].steps == STEPS


def test_a_plain_recurrent_layer_explodes_vanishes_or_keeps_by_its_recurrent_weights() -> None:
    assert through_time(ask(lambda: Reader(plain(1.3)), lr=1e-30)) == [("exploding gradients", "recurrent")]
    assert through_time(ask(lambda: Reader(plain(0.7)))) == [("vanishing gradients", "recurrent")]
    kept = ask(lambda: Reader(plain(1.0)), lr=1e-30)
    assert through_time(kept) == []
    assert kept.layers[0].through_time == pytest.approx(1, rel=0.05)


def test_the_ratio_is_that_of_the_jacobians() -> None:
    """Linear steps: 0.9 to the power of 59."""
    found = ask(lambda: Reader(plain(0.9)), lr=1e-30)
    assert found.layers[0].through_time == pytest.approx(0.9**59, rel=0.05)


@pytest.mark.slow
def test_a_cell_in_a_loop_is_seen_as_the_layer_is() -> None:
    class Loop(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self, kind: str) -> None:
            super().__init__()
            self.cell, self.out = getattr(nn, f"{kind}Cell")(3, 8), nn.Linear(8, 1)

        def forward(self, x: object) -> object:
            state = None
            for step in x.unbind(1):  # type: ignore[attr-defined]
                state = self.cell(step, state)
            return self.out(state[0] if isinstance(state, tuple) else state)

    for kind in ("LSTM", "GRU"):
        found = ask(lambda kind=kind: Loop(kind))  # type: ignore[misc]
        assert through_time(found) == [("vanishing gradients", "cell")]
        assert found.layers[0].steps == STEPS
    short = ask(lambda: Loop("GRU"), x=X[:, :3])
    assert through_time(short) == []


def test_a_short_sequence_and_an_answer_at_every_step_are_no_trouble() -> None:
    class Every(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.recurrent, self.out = nn.LSTM(3, 8, batch_first=True), nn.Linear(8, 1)

        def forward(self, x: object) -> object:
            return self.out(self.recurrent(x)[0])[..., 0]

    assert through_time(ask(Every, y=X[..., 0])) == []
    assert through_time(ask(lambda: Reader(lstm()), x=X[:, -3:])) == []
    assert through_time(ask(lambda: Reader(lstm()), x=X[:, -1:])) == []


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
def test_large_weights_saturate_gates_and_the_usual_ones_do_not(kind: str) -> None:
    def build(scale: float) -> object:
        layer = getattr(nn, kind)(3, 8, batch_first=True)
        with torch.no_grad():
            for weight in layer.parameters():
                weight.mul_(scale)
        return layer

    full = ask(lambda: Reader(lambda: build(60.0)), lr=1e-12)
    assert [f.where for f in full.findings if f.trouble is Trouble.SATURATED] == ["recurrent"]
    assert "Saturated gates in recurrent" in " ".join(str(full).split())
    assert not ask(lambda: Reader(lambda: build(1.0))).has(Trouble.SATURATED)


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_the_gates_that_are_judged_are_those_that_gave_the_output(kind: str) -> None:
    """A bias drives one gate after another into saturation: the share grows by one gate's."""
    from seedwise.diagnostics.sequences import saturated_gates

    layer = getattr(nn, kind)(3, 8, batch_first=True)
    gates = 4 if kind == "LSTM" else 3
    for k in range(gates + 1):
        output = layer(X)[0]
        assert saturated_gates(layer, X, None, output) == pytest.approx(k / gates, abs=0.02)
        if k < gates:
            with torch.no_grad():
                layer.bias_ih_l0[8 * k : 8 * (k + 1)] += 30.0
    assert saturated_gates(nn.LSTM(3, 8, num_layers=2, batch_first=True), X, None, X) is None


def test_constant_weights_keep_the_units_of_a_recurrent_layer_identical() -> None:
    def build() -> object:
        layer = nn.LSTM(3, 8, batch_first=True)
        for weight in layer.parameters():
            nn.init.constant_(weight, 0.1)
        return layer

    def model() -> object:
        net = Reader(build)
        nn.init.constant_(net.out.weight, 0.1)
        return net

    found = ask(model, lr=0.1)
    assert next(f for f in found.findings if f.trouble is Trouble.IDENTICAL).where == "recurrent"
    assert found.layers[0].identical == 8
    assert not ask(lambda: Reader(lstm()), lr=0.1).has(Trouble.IDENTICAL)


class Attends(nn.Module):  # type: ignore[misc, name-defined]
    """Attention made in one of four ways, with weights of some size."""

    def __init__(self, way: str, scale: float = 1.0) -> None:
        super().__init__()
        self.way = way
        self.embed, self.out = nn.Linear(3, 8), nn.Linear(8, 1)
        if way in ("module", "quiet", "encoder"):
            made = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.5, batch_first=True)
            self.attention = made if way == "encoder" else nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True)
            inner = self.attention.self_attn if way == "encoder" else self.attention
            with torch.no_grad():
                inner.in_proj_weight.mul_(scale)
        else:
            self.qkv = nn.Linear(8, 24)
            with torch.no_grad():
                self.qkv.weight.mul_(scale)

    def forward(self, x: object) -> object:
        h = self.embed(x)
        if self.way == "encoder":
            h = self.attention(h)
        elif self.way in ("module", "quiet"):
            h = self.attention(h, h, h, need_weights=self.way == "module")[0]
        else:
            q, k, v = self.qkv(h).chunk(3, dim=-1)
            if self.way == "product":
                h = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            else:
                h = (q @ k.transpose(1, 2) / 8**0.5).softmax(dim=-1) @ v
        return self.out(h.mean(dim=1))


@pytest.mark.parametrize(
    ("way", "where"),
    [("module", "attention"), ("quiet", "attention"), ("encoder", "self_attn"), ("product", "qkv"), ("hand", "qkv")],
)
def test_attention_to_one_place_is_found_however_it_is_made(way: str, where: str) -> None:
    x = X[:, :12]
    full = ask(lambda: Attends(way, 40.0), lr=1e-12, x=x)
    saturated = [f for f in full.findings if f.trouble is Trouble.SATURATED]
    assert [f.where.rpartition(".")[2] for f in saturated] == [where]
    assert "of its rows look at one place alone" in saturated[0].sentence
    usual = ask(lambda: Attends(way), x=x)
    assert not usual.has(Trouble.SATURATED)
    assert where in [layer.name.rpartition(".")[2] for layer in usual.layers]
    assert all(layer.gradient_at_start for layer in usual.layers)


def test_a_row_that_may_look_at_one_place_only_is_not_saturated() -> None:
    from seedwise.diagnostics.sequences import at_one_place, of_product

    q = torch.zeros(1, 2, 4)
    assert of_product((q, q, q), {"is_causal": True}) == 0.0
    assert of_product((q[:, :1], q[:, :1], q[:, :1]), {}) is None
    assert at_one_place(torch.tensor([[1.0, 0.0]]), torch.tensor([False])) is None
    assert at_one_place(torch.tensor([[1.0, 0.0], [0.5, 0.5]])) == 0.5


def test_dropout_inside_attention_and_recurrent_layers_hides_nothing_and_changes_nothing() -> None:
    from seedwise.diagnostics.looking import look

    for make in (
        lambda p: nn.Sequential(nn.TransformerEncoderLayer(8, 2, 16, dropout=p, batch_first=True), nn.Linear(8, 1)),
        lambda p: Reader(lambda: nn.LSTM(8, 4, num_layers=2, dropout=p, batch_first=True)),
    ):
        seen = []
        for p in (0.0, 0.9):
            with sw.seeded(3):
                net = make(p)  # type: ignore[no-untyped-call]
            x = torch.randn(16, 5, 8, generator=torch.Generator().manual_seed(2))
            seen.append(
                [(of.name, of.gradient, of.dead.tolist()) for of in look(net, lambda out, y: (out**2).mean(), x, x)]
            )
        assert seen[0] == seen[1]


def test_a_sum_around_a_recurrent_layer_does_not_hide_that_it_forgets() -> None:
    class Around(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.into, self.recurrent, self.out = nn.Linear(3, 8), nn.LSTM(8, 8, batch_first=True), nn.Linear(8, 1)

        def forward(self, x: object) -> object:
            inside = self.into(x)
            return self.out(self.recurrent(inside)[0][:, -1] + inside.mean(dim=1))

    assert through_time(ask(Around)) == [("vanishing gradients", "recurrent")]
