"""What a seed is called."""

import pytest

from seedwise_guest.sites.names import is_seed_name, is_seeding_helper, names_a_seed


@pytest.mark.parametrize(
    "name",
    [
        "seed",
        "SEED",
        "random_seed",
        "RANDOM_STATE",
        "randomState",
        "random_state",
        "myseed",
        "torchSeed",
        "seed2",
        "np_seed",
        "SEED_VALUE",
        "rng",
        "prng",
        "global_seed",
        "tfseed",
        "split_random_state",
        "dataSeed",
    ],
)
def test_names_of_seeds(name: str) -> None:
    assert is_seed_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "n_seeds",
        "num_seeds",
        "seeds",
        "seed_count",
        "seed_length",
        "seed_idx",
        "max_seed",
        "seed_path",
        "nseed",
        "reseed",
        "PYTHONHASHSEED",
        "seed_offset",
        "seeded",
        "speed",
        "exceeds",
        "state",
        "random",
        "rngs",
        "seed_radius",
        "per_seed",
        "seedling_count",
    ],
)
def test_names_of_other_things(name: str) -> None:
    assert not is_seed_name(name)


@pytest.mark.parametrize("text", ["--seed", "-seed", "SEED", "train.seed", "--random-state", "data/seed"])
def test_options_and_keys(text: str) -> None:
    assert names_a_seed(text)


@pytest.mark.parametrize("text", ["the seed is", "seed:", "--seed 3", "", "--seeds", "seed_path"])
def test_texts(text: str) -> None:
    assert not names_a_seed(text)


def test_helpers() -> None:
    for name in (
        "set_seed",
        "seed_everything",
        "seed_torch",
        "fix_random_seeds",
        "setup_seed",
        "make_reproducible_seed",
    ):
        assert is_seeding_helper(name), name
    for name in ("seed_users", "set_state", "seed_worker", "plant_seed", "make_random"):
        assert not is_seeding_helper(name), name
