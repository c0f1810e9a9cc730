"""JAX functions under many seeds: jit(vmap) gives each seed what it has alone, in any company."""

import numpy as np
import pytest

import seedwise as sw

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(200)]


def init(key):  # type: ignore[no-untyped-def]
    import jax

    a, b = jax.random.split(key)
    return {"a": jax.random.normal(a, (6, 8)) * 0.3, "b": jax.random.normal(b, (8, 3)) * 0.3}


def apply(parameters, x, key=None):  # type: ignore[no-untyped-def]
    import jax

    h = jax.numpy.tanh(x @ parameters["a"])
    if key is not None:
        h = h * jax.random.bernoulli(key, 0.8, h.shape) / 0.8
    return h @ parameters["b"]


def loss(outputs, targets):  # type: ignore[no-untyped-def]
    import optax

    return optax.softmax_cross_entropy_with_integer_labels(outputs, targets).mean()


def accuracy(outputs, targets):  # type: ignore[no-untyped-def]
    return (outputs.argmax(1) == targets).mean()


def fitted(seeds: object, engine: str, **how: object) -> sw.batched.BatchedResults:
    import optax

    rng = np.random.default_rng(0)
    x = rng.normal(size=(50, 6)).astype(np.float32)
    given = {
        "train": (x, x[:, :3].argmax(1)), "loss": loss, "optimizer": optax.adam(0.01), "epochs": 4, "batch_size": 8,
        "metrics": {"accuracy": accuracy}, "keep": ["predictions", "parameters"], "width": 16, **how,
    }  # fmt: skip
    model = how.pop("model", sw.batched.JaxModel(init, apply))
    return sw.batched.fit(model, seeds=seeds, engine=engine, **{k: v for k, v in given.items() if k != "model"})  # type: ignore[arg-type]


@pytest.mark.parametrize("dropout", [False, True])
def test_many_seeds_are_as_each_alone(dropout: bool) -> None:
    model = sw.batched.JaxModel(init, apply, uses_dropout=dropout)
    alone, many = (fitted(range(5), engine, model=model) for engine in ("loop", "jax"))
    for one, other in zip(alone.runs, many.runs, strict=True):
        assert one.arrays.keys() == other.arrays.keys()
        for name in one.arrays:
            assert np.allclose(one.array(name), other.array(name), atol=1e-4)
    assert many.closeness is not None
    assert many.closeness.same_start
    assert many.closeness.same_order
    assert len(set(many.scores("train_loss").values)) == 5


def test_bits_do_not_depend_on_company() -> None:
    many, few = fitted(range(40), "jax"), fitted([39, 7], "jax")
    for run in few.runs:
        for name in run.arrays:
            assert many.runs[run.seed].array(name).tobytes() == run.array(name).tobytes()


def test_a_diverging_seed_fails_alone() -> None:
    def fragile(key):  # type: ignore[no-untyped-def]
        import jax

        parameters = init(key)
        return {**parameters, "b": jax.numpy.where(jax.random.uniform(key) > 0.5, np.nan, parameters["b"])}

    results = fitted(range(10), "jax", model=sw.batched.JaxModel(fragile, apply))
    assert 0 < len(results.failed) < 10
    assert all("step 1 (epoch 1)" in run.detail for run in results.failed)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"optimizer": list}, "optax"), ({"clip_norm": 1.0}, "clip_norm"), ({"batch_size": 99}, "no batch"), ({"metrics": ["accuracy"]}, "dict"),
        ({"name": "net"}, "not kept"), ({"drop_last": True}, "drop_last"),
    ],
)  # fmt: skip
def test_wrong_use_is_answered(how: dict[str, object], words: str) -> None:
    with pytest.raises(sw.UsageError, match=words):
        fitted([1, 2], "jax", **how)


def test_engines_of_torch_are_not_for_jax() -> None:
    with pytest.raises(sw.UsageError, match="JaxModel"):
        fitted([1, 2], "compiled")
