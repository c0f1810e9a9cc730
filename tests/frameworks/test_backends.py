"""seed_everything, seeded and the ledger with TensorFlow, Keras and JAX, each in a fresh process; libraries that follow NumPy."""

import subprocess
import sys
import textwrap

import pytest

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(200)]


def fresh(code: str, backend: str = "tensorflow") -> list[str]:
    """The lines that a new interpreter prints."""
    head = f"import os\nos.environ['KERAS_BACKEND'], os.environ['TF_CPP_MIN_LOG_LEVEL'] = {backend!r}, '3'\n"
    done = subprocess.run(
        [sys.executable, "-c", head + textwrap.dedent(code)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_gives_the_numbers_of_keras_own_line_and_a_scope_puts_all_back(backend: str) -> None:
    fresh(
        """
        import random, numpy as np, keras, seedwise as sw
        import tensorflow as tf
        draw = lambda: [random.random(), np.random.rand(), *np.array(keras.random.normal((2,))).tolist(), *tf.random.normal((2,)).numpy().tolist()]
        ledger = sw.seed_everything(42)
        ours = draw()
        assert ledger["keras"].state == "seeded", str(ledger)
        keras.utils.set_random_seed(42)
        theirs = draw()
        assert ours == theirs, (ours, theirs)
        assert ledger["keras"].seeded_at, str(ledger)
        keras.utils.set_random_seed(42)
        first = draw()[:3]
        with sw.seeded(7):
            inside = draw()
        keras.utils.set_random_seed(42)
        with sw.seeded(7):
            assert draw() == inside
        assert draw() == theirs, "the scope left something changed"
        set_seed = tf.random.set_seed
        with sw.seeded(7):
            pass
        assert tf.random.set_seed is set_seed
        """.replace("np.array(keras.random.normal((2,)))", "keras.ops.convert_to_numpy(keras.random.normal((2,)))"),
        backend,
    )


def test_tensorflow_without_a_seed_gets_streams_of_the_seed() -> None:
    program = """
        import seedwise as sw
        import tensorflow as tf
        ledger = sw.seed_everything(SEED)
        print(tf.random.normal((2,)).numpy().tolist())
        print(tf.random.get_global_generator().normal((2,)).numpy().tolist())
        print(list(tf.data.Dataset.range(6).shuffle(6).as_numpy_iterator()))
        print([e.state.value for e in ledger if e.generator.startswith("tensorflow generator")])
        """
    once, again, other = (fresh(program.replace("SEED", seed)) for seed in ("3", "3", "4"))
    assert once == again
    assert once[:2] != other[:2]
    assert once[3] == "['unseeded']"


def test_a_seed_of_one_library_reaches_no_other() -> None:
    fresh(
        """
        import random, numpy as np, torch, tensorflow as tf, jax
        def states():
            context = __import__("tensorflow.python.eager.context", fromlist=["x"]).context()
            return {"random": random.getstate(), "numpy": np.random.get_state()[1].tobytes(), "torch": torch.get_rng_state().numpy().tobytes(),
                    "tensorflow": (context._seed, context._rng.getstate() if context._seed is not None else None)}
        import seedwise as sw
        sw.seed_everything(1)
        for name, seed in (("random", lambda: random.seed(5)), ("numpy", lambda: np.random.seed(5)), ("torch", lambda: torch.manual_seed(5)),
                           ("tensorflow", lambda: tf.random.set_seed(5)), ("jax", lambda: jax.random.PRNGKey(5))):
            before = states()
            seed()
            after = states()
            assert {k for k in before if before[k] != after[k]} == {name} - {"jax"}, name
        """
    )


def test_jax_keys_are_in_the_ledger_and_streams_give_keys_by_name() -> None:
    lines = fresh(
        """
        import jax, seedwise as sw
        ledger = sw.seed_everything(3)
        jax.random.PRNGKey(0); jax.random.key(9)
        print([(e.state.value, e.seed) for e in ledger if e.generator.startswith("jax key")])
        s = sw.Streams(3)
        print(bool((jax.random.key_data(s.jax("init")) == jax.random.key_data(sw.Streams(3).jax("init"))).all()),
              bool((jax.random.key_data(s.jax("init")) == jax.random.key_data(s.jax("dropout"))).all()))
        jitted = jax.jit(lambda seed: jax.random.normal(jax.random.PRNGKey(seed), ()))
        print(float(jitted(4)) == float(jax.random.normal(jax.random.PRNGKey(4), ())))
        """
    )
    assert lines == ["[('seeded', 9)]", "True False", "True"]  # both keys were made in one line


def test_gymnasium_and_pytensor_follow_numpys_streams() -> None:
    program = """
        import warnings; warnings.simplefilter("ignore")
        import gymnasium, numpy as np, pytensor, seedwise as sw
        sw.seed_everything(SEED)
        space = gymnasium.spaces.Box(0, 1, (3,))
        env = gymnasium.make("CartPole-v1")
        rng = pytensor.tensor.random.shared_rng(seed=None)
        next_rng, draw = rng.normal()
        print(space.sample().tolist(), env.reset()[0].tolist(), float(pytensor.function([], draw)()))
        """
    once, again, other = (fresh(program.replace("SEED", seed)) for seed in ("3", "3", "4"))
    assert once == again != other


@pytest.mark.parametrize(
    ("line", "generators"),
    [
        ("import lightning; lightning.seed_everything(5)", ["random", "numpy.random", "torch"]),
        ("import transformers; transformers.set_seed(5)", ["random", "numpy.random", "torch"]),
        ("from accelerate.utils import set_seed; set_seed(5)", ["random", "numpy.random", "torch"]),
        ("import ignite.utils; ignite.utils.manual_seed(5)", ["random", "numpy.random", "torch"]),
        ("import tensorflow; tensorflow.compat.v1.set_random_seed(5)", ["tensorflow"]),
    ],
    ids=["lightning", "transformers", "accelerate", "ignite", "tensorflow 1"],
)
def test_seeding_calls_of_libraries_are_in_the_ledger(line: str, generators: list[str]) -> None:
    lines = fresh(
        f"""
        import seedwise as sw
        ledger = sw.seed_everything(1)
        {line}
        for e in ledger:
            if e.generator in {generators}:
                print(e.generator, e.seed, [place.rpartition(":")[0] for place in e.seeded_at][-1])
        """
    )
    assert lines == [f"{name} 5 <string>" for name in generators]
