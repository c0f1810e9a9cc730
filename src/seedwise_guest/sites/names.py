"""What a seed is called: the test for names, and the libraries' seeding calls."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+")

_MEASURES = frozenset(
    "n num nr number count counts len length size sizes idx index indices per max min offset radius path file "
    "files dir folder name names url id ids key keys text word words token tokens list every step steps interval "
    "freq dtype type shape dim color colour point points node nodes pixel prompt mask ratio frac fraction weight "
    "prob rate threshold range total use fix fixed enable start end stop first last x y z depth".split()
)
_HAVE_SEEDS = frozenset(
    "frac fraction ratio weight prob rate mask prompt threshold token tokens word words text dim".split()
)
"""Measures that a generator is made for: what stands before `seed` may be one of these."""
_NOT_SEEDS = frozenset({"nseed", "reseed", "pythonhashseed", "unseed", "hashseed"})


def words(name: str) -> list[str]:
    """The words of a name, lower case: split at `_`, `-`, digits and capitals."""
    return [word.lower() for word in _WORD.findall(name)]


def is_seed_name(name: str) -> bool:
    """Whether a variable, parameter, key or option of this name holds a seed.

    It does when a word ends in `seed`, or `random state` stands in it, or it is exactly `rng` or `prng`; and when no
    word counts, sizes or places (`n_seeds`, `seed_length`, `seed_path`).
    """
    parts = words(name)
    if not parts:
        return False
    of = parts[:-1] if parts[-1].endswith("seed") else []  # feature_fraction_seed is the seed of a fraction
    if any(part in _MEASURES and not (part in _HAVE_SEEDS and part in of) for part in parts):
        return False
    if "".join(parts) in _NOT_SEEDS or any(part in _NOT_SEEDS for part in parts):
        return False
    if parts in (["rng"], ["prng"]):
        return True
    if any(part.endswith("seed") or part == "randomstate" for part in parts):
        return True
    return any(pair == ("random", "state") for pair in zip(parts, parts[1:]))


_OPTION = re.compile(r"-{0,2}[A-Za-z_][\w\-./]*\Z")


def names_a_seed(text: str) -> bool:
    """Whether a string such as `--seed`, `SEED` or `train.random_state` names a seed."""
    return bool(_OPTION.match(text)) and is_seed_name(re.split(r"[./]", text)[-1])


def later_seed(first: str | None, named: Sequence[str]) -> str | None:
    """Which argument of a function receives the seed, if it is not the first one: `train(lr=0.1, seed=0)`.

    Parameters
    ----------
    first
        The first argument that can be given by position; None if there is none.
    named
        The arguments that can be given by name, in their order.

    Returns
    -------
    str or None
        `seed`, or the only other one that is named like a seed. None where the first is, or where none or several are.
    """
    if first is not None and is_seed_name(first):
        return None
    seeds = [name for name in named if name != first and is_seed_name(name)]
    if "seed" in seeds:
        return "seed"
    return seeds[0] if len(seeds) == 1 else None


GLOBAL_SEEDING = frozenset(
    "random.seed numpy.random.seed numpy.random.mtrand.seed torch.manual_seed torch.random.manual_seed "
    "torch.cuda.manual_seed torch.cuda.manual_seed_all torch.cuda.random.manual_seed "
    "torch.cuda.random.manual_seed_all torch.mps.manual_seed torch.xpu.manual_seed torch.xpu.manual_seed_all "
    "tensorflow.random.set_seed tensorflow.set_random_seed tensorflow.random.set_random_seed "
    "tensorflow.compat.v1.set_random_seed tensorflow.compat.v1.random.set_random_seed "
    "tensorflow.keras.utils.set_random_seed keras.utils.set_random_seed keras.utils.np_utils.set_random_seed "
    "cupy.random.seed mxnet.random.seed paddle.seed dgl.seed pytorch_lightning.seed_everything "
    "lightning.seed_everything lightning.pytorch.seed_everything lightning.fabric.seed_everything "
    "transformers.set_seed transformers.enable_full_determinism transformers.trainer_utils.set_seed "
    "accelerate.utils.set_seed ignite.utils.manual_seed fastai.basics.set_seed seedwise.seed_everything "
    "seedwise.seeded".split()
)
"""Calls that seed a global generator."""

OTHER_SEEDING = frozenset(
    "random.Random numpy.random.RandomState numpy.random.default_rng numpy.random.SeedSequence numpy.random.PCG64 "
    "numpy.random.PCG64DXSM numpy.random.MT19937 numpy.random.Philox numpy.random.SFC64 numpy.random.Generator "
    "jax.random.PRNGKey jax.random.key tensorflow.random.Generator.from_seed cupy.random.RandomState "
    "cupy.random.default_rng sklearn.utils.check_random_state keras.random.SeedGenerator seedwise.Streams "
    "flax.nnx.Rngs torch.Generator.manual_seed".split()
)
"""Calls that make a generator of their own from a seed."""

MANY_SEEDS = frozenset({"flax.nnx.Rngs", "flax.nnx.rnglib.Rngs"})
"""Calls in which every keyword is a seed: `Rngs(params=0, dropout=1)`."""

_HELPER_WORDS = frozenset(
    "set fix make all torch everything seed seeds seeding random rng numpy np global globals init initialize "
    "initialise reproducible reproducibility deterministic manual state tf tensorflow keras jax cuda gpu cpu "
    "python the setup do use enable ensure to with and up env environment apply fixed".split()
)


def is_seeding_helper(name: str) -> bool:
    """Whether a function of this name sets seeds: all its words belong to seeding (`seed_torch`, not `seed_users`)."""
    parts = words(name)
    if not parts or not all(part in _HELPER_WORDS for part in parts):
        return False
    if "seed" in parts or parts[-2:] == ["random", "state"]:
        return True
    return parts[0] in ("set", "fix", "setup", "init") and any(part in ("seeds", "seeding") for part in parts)


SPLITTING = frozenset(
    "train_test_split random_split KFold StratifiedKFold GroupKFold StratifiedGroupKFold RepeatedKFold "
    "RepeatedStratifiedKFold ShuffleSplit StratifiedShuffleSplit GroupShuffleSplit train_valid_test_split "
    "SubsetRandomSampler train_val_split".split()
)
"""Calls that divide data: a seed given to them belongs to the source `split`."""

CLOCKS = frozenset(
    "time.time time.time_ns time.perf_counter time.perf_counter_ns time.monotonic time.monotonic_ns time.clock "
    "datetime.datetime.now datetime.datetime.utcnow datetime.datetime.today datetime.date.today os.getpid".split()
)
"""Calls whose number differs from one start of a script to the next."""
