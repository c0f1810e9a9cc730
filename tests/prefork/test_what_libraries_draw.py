"""What a library draws and makes while it is imported: the same in every run, no seed of it lost, nothing of the script's changed."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.script import run_script

from .both_ways import hold_both_ways, what_came
from .test_same_as_fresh import library

pytestmark = pytest.mark.slow
Script = Callable[..., list[str]]
DRAWS = {
    "random": "import random\nvalue = random.getrandbits(24)",
    "NumPy": "import numpy as np\nvalue = np.random.rand()",
    "both": "import random\nimport numpy as np\nvalue = np.random.permutation(50).sum() + random.random()",
    "a generator that is dropped": "import numpy as np\nvalue = np.random.default_rng().random()",
    "a generator that is seeded": "import numpy as np\nrng = np.random.RandomState(3)\nvalue = rng.rand()",
}
MAKES = {
    "Random": "import random\nrng = random.Random()\ndraw = rng.random",
    "default_rng": "import numpy as np\nrng = np.random.default_rng()\nrng.random()\ndraw = rng.random",
    "RandomState": "import numpy as np\nrng = np.random.RandomState()\nrng.rand(3)\ndraw = rng.rand",
    "a bit generator": "import numpy as np\nbits = np.random.SFC64()\ndraw = np.random.Generator(bits).random",
    "children": "import numpy as np\nrng = np.random.default_rng()\ndraw = lambda: rng.spawn(1)[0].random()",
}
THEN = """
import badlib, os, random
import numpy as np
SEED = 42
random.seed(SEED)
np.random.seed(SEED)
print("value", badlib.value)
print("acc =", random.random() + np.random.rand())
"""


@pytest.mark.parametrize("what", DRAWS)
def test_a_library_that_draws_is_imported_once_if_the_script_seeds_afterwards(
    what: str,
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forked: list[int],
    executed_once: Callable[[int], bool],
) -> None:
    library(tmp_path, monkeypatch, DRAWS[what])
    hold_both_ways(script(THEN), forked)
    assert forked
    assert executed_once(3)


@pytest.mark.parametrize("what", MAKES)
def test_a_generator_that_a_library_keeps_follows_the_seed(
    what: str,
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forked: list[int],
    executed_once: Callable[[int], bool],
) -> None:
    library(tmp_path, monkeypatch, MAKES[what])
    command = script("SEED = 42\nimport badlib\nprint('acc =', badlib.draw(), 'then =', badlib.draw())")
    hold_both_ways(command, forked, (1, 2, 3, 4))
    assert forked
    assert executed_once(2)
    results = run_script(command, range(1, 6), name="again", jobs=1)
    assert len(set(results.scores("acc").values)) == len(set(results.scores("then").values)) == 5


BEFORE = {
    "seeded before": "random.seed(42)\nnp.random.seed(42)",
    "seeded before, as a run starts": "SEED = 42\nrandom.seed(SEED)\nnp.random.seed(SEED)",
}
SEEDS = "import random\nimport numpy as np\nrandom.seed(7)\nnp.random.seed(7)\nvalue = np.random.rand()"


@pytest.mark.slow
@pytest.mark.parametrize("first", BEFORE)
@pytest.mark.parametrize("text", [*DRAWS.values(), SEEDS], ids=[*DRAWS, "seeds"])
def test_what_a_script_seeded_before_moves_as_without_us(
    first: str, text: str, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, text)
    command = script(
        f"import random\nimport numpy as np\n{BEFORE[first]}\nimport badlib\nprint(random.random(), np.random.rand())"
    )
    plain = subprocess.run(command, capture_output=True, check=True).stdout
    hold_both_ways(command, forked, (42, 1, 2, 3))
    assert what_came(run_script(command, (42,), name="plain", fresh=True), 42)[0] == plain


def test_a_library_that_seeds_for_the_script_too(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, SEEDS)
    command = script("import random, badlib\nimport numpy as np\nprint(random.random(), np.random.rand())")
    plain = subprocess.run(command, capture_output=True, check=True).stdout
    hold_both_ways(command, forked)
    assert what_came(run_script(command, (5,), name="plain", fresh=True), 5)[0] == plain


def test_a_library_that_seeds_for_itself_and_puts_the_state_back(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(
        tmp_path,
        monkeypatch,
        "import random\nstate = random.getstate()\nrandom.seed(7)\nvalue = random.random()\nrandom.setstate(state)",
    )
    command = script("SEED = 42\nimport random, badlib\nprint('acc =', random.random())")
    hold_both_ways(command, forked)
    assert len(set(run_script(command, range(1, 5), name="again").scores("acc").values)) == 4


@pytest.mark.parametrize("before", ["random.random()", "np.random.rand()"])
def test_what_was_drawn_before_without_a_seed_is_gone_on_with(
    before: str, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, DRAWS["both"])
    text = f"SEED = 42\nimport random\nimport numpy as np\nif SEED != 1:\n    {before}\nimport badlib\n"
    hold_both_ways(
        script(text + "print('acc =', random.random() + np.random.rand(), badlib.value)"), forked, (1, 2, 3, 4)
    )


def test_the_users_own_module_draws_under_the_seed_even_below_a_librarys_import(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import random\nfirst = random.random()\nimport mine\nvalue = mine.value")
    Path("mine.py").write_text("import random\nvalue = random.random()\n")
    command = script("SEED = 42\nimport badlib\nprint('acc =', badlib.value)")
    hold_both_ways(command, forked)
    assert len(set(run_script(command, range(1, 5), name="again").scores("acc").values)) == 4


@pytest.mark.parametrize("what", MAKES)
def test_in_a_program_of_your_own_too_it_follows_the_seed(what: str, tmp_path: Path) -> None:
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "badlib.py").write_text(MAKES[what])
    code = (
        "import sys, seedwise\nsys.path.insert(0, sys.argv[2])\nseedwise.seed_everything(int(sys.argv[1]))\n"
        "import badlib\nprint(badlib.draw())"
    )

    def drawn(seed: int) -> str:
        command = [sys.executable, "-c", code, str(seed), str(tmp_path / "site-packages")]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout

    assert drawn(1) == drawn(1) != drawn(2)


USES = {
    "a generator of another library's": (
        "import random\nrng = random.Random()",
        "import alib\nvalue = alib.rng.random()",
    ),
    "one of NumPy's": ("import numpy as np\nrng = np.random.default_rng()", "import alib\nvalue = alib.rng.random()"),
}


@pytest.mark.parametrize("what", USES)
@pytest.mark.parametrize("left", ["", "import helper\n"])
def test_a_library_that_draws_from_what_another_made(
    what: str, left: str, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    Path("helper.py").write_text("")
    library(tmp_path, monkeypatch, left + USES[what][1])
    (tmp_path / "site-packages" / "alib.py").write_text(USES[what][0])
    first = "" if left else "import alib\n"
    command = script(
        f"SEED = 42\n{first}import badlib, alib\nprint('acc =', badlib.value, 'then =', alib.rng.random())"
    )
    hold_both_ways(command, forked)
    results = run_script(command, range(1, 5), name="again")
    assert len(set(results.scores("then").values)) == 4


FIXES = {
    "seeds it": "import random\nrng = random.Random()\nrng.seed(1234)",
    "sets its state": "import random\nrng = random.Random()\nrng.setstate(random.Random(5).getstate())",
    "sets NumPy's": "import numpy as np\nrng = np.random.default_rng()\nrng.bit_generator.state = np.random.PCG64(5).state",
    "sets NumPy's old one": "import numpy as np\nrng = np.random.RandomState()\nrng.set_state(np.random.RandomState(5).get_state())",
}


@pytest.mark.parametrize("what", FIXES)
def test_a_generator_that_a_library_gives_a_start_of_its_own_keeps_it(
    what: str, script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, FIXES[what] + "\ndraw = getattr(rng, 'random', None) or rng.rand\n")
    command = script("SEED = 42\nimport badlib\nprint(badlib.draw())")
    plain = subprocess.run(command, capture_output=True, check=True).stdout
    hold_both_ways(command, forked)
    assert what_came(run_script(command, (5,), name="plain", fresh=True), 5)[0] == plain


DERIVED = {
    "a sequence": "SS = np.random.SeedSequence()\ndraw = lambda: np.random.default_rng(SS.spawn(1)[0]).random()",
    "children": "rngs = np.random.default_rng().spawn(2)\ndraw = lambda: rngs[0].random() - rngs[1].random()",
    "children of a sequence": "rngs = [np.random.default_rng(s) for s in np.random.SeedSequence().spawn(3)]\ndraw = lambda: rngs[2].random()",
    "a copy": "import copy\nrng = copy.deepcopy(np.random.default_rng())\ndraw = rng.random",
    "a normal to come": "rng = np.random.RandomState()\nrng.randn(3)\ndraw = rng.randn",
}


@pytest.mark.parametrize("what", DERIVED)
def test_what_a_library_derives_from_its_generators_follows_the_seed(
    what: str,
    script: Script,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forked: list[int],
    executed_once: Callable[[int], bool],
) -> None:
    library(tmp_path, monkeypatch, f"import numpy as np\n{DERIVED[what]}")
    command = script("SEED = 42\nimport badlib\nprint('acc =', badlib.draw(), 'then =', badlib.draw())")
    hold_both_ways(command, forked)
    assert executed_once(2)
    results = run_script(command, range(1, 5), name="again")
    for name in ("acc", "then"):
        assert len(set(results.scores(name).values)) == 4


def test_a_state_that_is_put_back_after_a_draw_leaves_the_script_its_own(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    text = "import random\na = random.random()\ns = random.getstate()\nrandom.seed(0)\nrandom.setstate(s)"
    numpy = text.replace("import random", "import numpy.random as random").replace("getstate", "get_state")
    library(tmp_path, monkeypatch, text + "\n" + numpy.replace("setstate", "set_state"))
    command = script(
        "SEED = 42\nimport random, badlib\nimport numpy as np\nprint('acc =', random.random(), 'b =', np.random.rand())"
    )
    hold_both_ways(command, forked)
    results = run_script(command, range(1, 5), name="again")
    assert len(set(results.scores("acc").values)) == len(set(results.scores("b").values)) == 4


def test_a_module_of_the_users_that_is_found_at_the_second_try(script: Script, forked: list[int]) -> None:
    Path("sub").mkdir()
    Path("sub/helper2.py").write_text("import random\nv = random.random()\n")
    command = script(
        "SEED = 42\ntry:\n    import helper2\nexcept ImportError:\n    import sys\n    sys.path.append('sub')\n    import helper2\n"
        "print('acc =', helper2.v)"
    )
    hold_both_ways(command, forked)
    assert len(set(run_script(command, range(1, 5), name="again").scores("acc").values)) == 4


def test_a_library_that_is_loaded_again(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import random\nrng = random.Random()")
    command = script(
        "SEED = 42\nimport importlib, badlib\nimportlib.reload(badlib)\nprint('acc =', badlib.rng.random())\nimport wave\n"
        "print('then =', badlib.rng.random())"
    )
    hold_both_ways(command, forked)
    results = run_script(command, range(1, 5), name="again")
    assert len(set(results.scores("acc").values)) == 4


def test_generators_made_by_one_function_for_several_libraries(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    Path("helper.py").write_text("")
    library(tmp_path, monkeypatch, "import util\nrng = util.make()")
    (tmp_path / "site-packages" / "util.py").write_text("import random\ndef make():\n    return random.Random()\n")
    (tmp_path / "site-packages" / "alib.py").write_text("import util, helper\nrng = util.make()\n")
    hold_both_ways(
        script("SEED = 42\nimport util, alib, badlib\nprint('acc =', alib.rng.random(), badlib.rng.random())"), forked
    )


def test_another_kind_of_generator_in_numpys_place(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import numpy as np\nnp.random.set_bit_generator(np.random.PCG64(1))")
    command = script("import numpy as np, badlib\nprint(np.random.rand())")
    plain = subprocess.run(command, capture_output=True, check=True).stdout
    hold_both_ways(command, forked)
    assert what_came(run_script(command, (5,), name="plain", fresh=True), 5)[0] == plain


def test_objects_that_answer_for_others_are_left_in_peace(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(
        tmp_path,
        monkeypatch,
        "import weakref\nimport numpy as np\nclass A: pass\nproxy = weakref.proxy(A())\nrng = np.random.default_rng()",
    )
    hold_both_ways(script("SEED = 42\nimport badlib\nprint('acc =', badlib.rng.random())"), forked)


def test_a_library_that_is_loaded_again_after_an_optional_import_has_failed(
    script: Script, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forked: list[int]
) -> None:
    library(tmp_path, monkeypatch, "import random\nrng = random.Random()")
    (tmp_path / "site-packages" / "optional.py").write_text("raise ImportError('not here')")
    command = script(
        "SEED = 42\nimport importlib, badlib\ntry:\n    import optional\nexcept ImportError:\n    pass\n"
        "importlib.reload(badlib)\nprint('acc =', badlib.rng.random())"
    )
    hold_both_ways(command, forked)
    assert len(set(run_script(command, range(1, 5), name="again", jobs=1).scores("acc").values)) == 4
