"""seed_everything, seeded and the ledger, each in a fresh process where state matters."""

import json
import random
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import seedwise as sw
from seedwise_guest.randomness.backends import all_backends
from seedwise_guest.randomness.ledger import Ledger, State

RANGE = "0 to 4294967295"


def fresh(code: str) -> str:
    """What a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def states() -> list[object]:
    return [backend.digest() for backend in all_backends() if backend.module in sys.modules]


@given(st.integers(0, 2**32 - 1))
def test_gives_the_numbers_of_the_three_lines_it_replaces(seed: int) -> None:
    with sw.seeded(seed):
        ours = random.random(), np.random.rand(), torch.rand(1).item()
    keep = random.getstate(), np.random.get_state(), torch.get_rng_state()
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    assert ours == (random.random(), np.random.rand(), torch.rand(1).item())
    random.setstate(keep[0])
    np.random.set_state(keep[1])
    torch.set_rng_state(keep[2])


@pytest.mark.parametrize("bad", [-1, 2**32, 1.0, True, "3", None, np.float64(3), np.bool_(True)])
def test_what_is_no_seed_is_refused_with_the_range_and_changes_nothing(bad: object) -> None:
    before = states()
    with pytest.raises(sw.SeedError, match=RANGE):
        sw.seed_everything(bad)  # type: ignore[arg-type]
    with pytest.raises(sw.SeedError, match=RANGE), sw.seeded(bad):  # type: ignore[arg-type]
        pass
    with pytest.raises(sw.SeedError, match=RANGE):
        sw.Streams(bad)  # type: ignore[arg-type]
    assert states() == before


def test_numpy_integers_are_seeds() -> None:
    with sw.seeded(np.int64(7)):
        assert np.random.rand() == pytest.approx(0.07630828937395717, abs=0)


def test_scope_restores_every_state_also_after_an_exception() -> None:
    before = states()
    patched = random.seed, random.Random.seed, np.random.seed, torch.manual_seed, torch.seed
    randbits = sys.modules["numpy.random.bit_generator"].randbits
    with pytest.raises(KeyError), sw.seeded(1, deterministic=True):  # noqa: PT012
        random.random(), np.random.rand(), torch.rand(1), np.random.default_rng(), random.gauss(0, 1), np.random.randn()
        assert torch.are_deterministic_algorithms_enabled()
        with sw.seeded(2):
            random.random(), torch.rand(3)
        raise KeyError("inside")
    assert states() == before
    assert patched == (random.seed, random.Random.seed, np.random.seed, torch.manual_seed, torch.seed)
    assert sys.modules["numpy.random.bit_generator"].randbits is randbits
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.deterministic


def test_nested_scope_continues_where_the_outer_stood() -> None:
    with sw.seeded(5):
        whole = [random.random(), np.random.rand(), random.random(), np.random.rand()]
    with sw.seeded(5):
        parts = [random.random(), np.random.rand()]
        with sw.seeded(6):
            random.random(), np.random.rand()
        parts += [random.random(), np.random.rand()]
    assert parts == whole


@pytest.mark.slow
def test_library_imported_later_is_seeded_when_it_is_imported() -> None:
    out = fresh(
        """
        import seedwise, sys
        ledger = seedwise.seed_everything(42)
        assert "torch" not in sys.modules and "numpy" not in sys.modules, "nothing heavy was imported"
        import torch, random, numpy as np
        print(random.random(), np.random.rand(), torch.rand(1).item())
        print([e.state.value for e in ledger if e.generator in ("random", "numpy.random", "torch")])
        """
    )
    expected = fresh(
        """
        import torch, random, numpy as np
        random.seed(42); np.random.seed(42); torch.manual_seed(42)
        print(random.random(), np.random.rand(), torch.rand(1).item())
        """
    )
    assert out.splitlines()[0] == expected.strip()
    assert out.splitlines()[1] == "['seeded', 'seeded', 'seeded']"


def test_generators_without_a_seed_get_streams_that_differ_and_repeat() -> None:
    def draw(seed: int) -> list[float]:
        with sw.seeded(seed):
            one, two = np.random.default_rng(), np.random.default_rng()
            legacy = np.random.RandomState()
            return [one.random(), two.random(), legacy.rand(), random.Random().random(), random.Random().random()]

    assert draw(1) == draw(1)
    assert len(set(draw(1) + draw(2))) == 10


def test_seeded_constructors_are_left_alone() -> None:
    expected = np.random.default_rng(3).random(), random.Random(3).random()
    with sw.seeded(1):
        assert (np.random.default_rng(3).random(), random.Random(3).random()) == expected


def test_names_of_temporary_files_stay_unpredictable() -> None:
    code = "import seedwise, tempfile; seedwise.seed_everything(1); print(next(tempfile._get_candidate_names()))"
    assert fresh(code) != fresh(code)


def test_ledger_tells_seeded_late_unseeded_and_untouched_with_the_line() -> None:
    out = fresh(
        """
        import json, numpy as np, torch
        torch.rand(1)
        import seedwise
        ledger = seedwise.seed_everything(3)
        rng = np.random.default_rng()
        np.random.seed(9)
        print(json.dumps(ledger.as_dicts()))
        """
    )
    entries = {e["generator"]: e for e in json.loads(out)}
    assert entries["torch"]["state"] == "seeded-late"
    assert entries["numpy.random"]["state"] == "seeded"
    assert entries["numpy.random"]["seed"] == 9
    assert entries["numpy.random"]["seeded_at"] == ["<string>:5", "<string>:7"]
    made = next(e for name, e in entries.items() if "made at" in name)
    assert (made["state"], made["made_at"]) == ("unseeded", "<string>:6")


def test_second_seed_everything_replaces_the_first() -> None:
    out = fresh(
        """
        import seedwise, random
        for seed in (1, 2, 1):
            seedwise.seed_everything(seed)
            print(random.random(), random.Random().random())
        print(random.seed.__module__, random.seed.__wrapped__.__module__ if hasattr(random.seed, "__wrapped__") else "")
        """
    ).splitlines()
    assert out[0] == out[2] != out[1]


@pytest.mark.slow
def test_dataloader_workers_follow_the_seed() -> None:
    code = """
        import random, numpy as np, torch, seedwise
        class Noise(torch.utils.data.Dataset):
            def __len__(self): return 4
            def __getitem__(self, k): return torch.tensor([random.random(), np.random.rand(), torch.rand(1).item()])
        seedwise.seed_everything({seed})
        print([b.tolist() for b in torch.utils.data.DataLoader(Noise(), num_workers=2, shuffle=True)])
        """
    first = fresh(code.format(seed=1))
    assert first == fresh(code.format(seed=1)) != fresh(code.format(seed=2))


def test_draws_before_the_seed_are_told_for_the_standard_library_and_numpy_too() -> None:
    out = fresh(
        """
        import random, numpy as np, seedwise
        random.random(), np.random.rand()
        first = {e.generator: e.state.value for e in seedwise.seed_everything(1)}
        random.random()
        second = {e.generator: e.state.value for e in seedwise.seed_everything(2)}
        print(first["random"], first["numpy.random"], second["random"])
        """
    )
    assert out.split() == ["seeded-late", "seeded-late", "seeded"]
    assert (
        fresh("import random, seedwise; print(seedwise.seed_everything(1)['random'].state.value)").strip() == "seeded"
    )


def test_a_library_first_imported_inside_a_scope_does_not_stay_at_its_seed() -> None:
    code = "import seedwise\nwith seedwise.seeded(3):\n    import numpy as np\nprint(np.random.rand())"
    assert fresh(code) != fresh(code)


def test_pickling_and_odd_bit_generators_still_work() -> None:
    fresh(
        """
        import pickle, random, numpy as np, seedwise
        np.random.set_bit_generator(np.random.MT19937(3))
        seedwise.seed_everything(1)
        assert pickle.loads(pickle.dumps(random.seed)) is random.seed
        assert pickle.loads(pickle.dumps(np.random.seed)) is np.random.seed
        np.random.SeedSequence(pool_size=16)
        """
    )


@pytest.mark.parametrize(
    "seed", [[1, 2, 3], np.array([1, 2, 3], np.uint32), np.random.SeedSequence(5).generate_state(4)]
)
def test_a_seed_of_several_numbers_is_taken_as_the_library_takes_it(seed: Any) -> None:
    """Lightning seeds NumPy in each worker of a DataLoader with four."""
    expected = np.random.RandomState(seed).rand()
    with sw.seeded(1) as ledger:
        np.random.seed(seed)
        assert np.random.rand() == expected
        assert ledger["numpy.random"].seed is None
        assert ledger["numpy.random"].seeded_at


def test_the_ledger_has_one_order_whatever_is_met_first() -> None:
    ledger = Ledger(["random", "numpy.random", "torch"])
    ledger.made_without_seed("Generator made at a.py:9", "a.py:9", "")
    for name in ("torch", "random", "numpy.random"):
        ledger.entry(name)
    ledger.made_without_seed("Generator made at a.py:10", "a.py:10", "")
    made = ["Generator made at a.py:9", "Generator made at a.py:10"]
    assert [entry.generator for entry in ledger] == ["random", "numpy.random", "torch", *made]


def test_a_restart_without_a_seed_is_entered_with_its_line() -> None:
    with sw.seeded(1) as ledger:
        random.seed(7)
        random.seed()
        first = random.random()
        found = [entry for entry in ledger if entry.generator.startswith("random.seed() at ")]
        assert [entry.made_at for entry in found] == [f"{__file__}:{line_of('random.seed()')}"]
        assert found[0].state is State.UNSEEDED
    with sw.seeded(1):
        random.seed()
        assert random.random() == first


def line_of(text: str) -> int:
    """The first line of this file that is this text alone."""
    return 1 + [line.strip() for line in Path(__file__).read_text().splitlines()].index(text)


def test_a_generator_of_torch_that_asks_the_system_for_a_seed_gets_one_of_the_run() -> None:
    import copy
    import pickle

    drawn = []
    for seed in (3, 3, 4):
        with sw.seeded(seed):
            generator = torch.Generator()
            generator.seed()
            assert type(generator) is torch.Generator is type(torch.default_generator)
            for other in (pickle.loads(pickle.dumps(generator)), copy.deepcopy(generator)):
                assert torch.equal(other.get_state(), generator.get_state())
            drawn.append(torch.rand(2, generator=generator).tolist())
    assert drawn[0] == drawn[1] != drawn[2]
    assert generator.seed() != generator.seed()  # after the scope it is as it was
