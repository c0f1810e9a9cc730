"""Article 2: reproducible results with Keras (J. Brownlee), on Keras 3's backends and on the old Theano."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from ..errors import SeedwiseError, UsageError

FOLDER = Path("seedwise-demo-keras")
BACKENDS = ("tensorflow", "jax", "torch", "theano")
THEANO = (
    0.169326527063,
    2.75750621228e-05,
    0.0183287491562,
    1.93553737255e-07,
    0.0549871087449,
    0.0906326807824,
    0.00337575114075,
    0.00414857518259,
    8.14587362008e-08,
    0.0522927019639,
)
"""The values that the article prints under Theano with NumPy's seed(1)."""
TENSORFLOW = (
    0.224045112999,
    0.00154879478823,
    0.00387589994044,
    0.0292376881968,
    0.00945528404353,
    0.013305765525,
    0.0206255228201,
    0.0359538356108,
    0.00441943512128,
    0.298706569397,
)
"""The values that it prints under TensorFlow with seed(1) and set_random_seed(2)."""
OLD_PACKAGES = (
    "Keras==2.2.5",
    "Keras-Applications==1.0.8",
    "Keras-Preprocessing==1.1.2",
    "Theano==1.0.5",
    "numpy==1.23.5",
    "scipy==1.15.3",
    "six==1.17.0",
    "PyYAML>=6",
    "h5py==3.14.0",
)
"""Keras 2 on Theano 1, in versions that still run on Python 3.9 to 3.11. They are installed without the packages
that they require.
"""
_SECOND_LINE = {
    "tensorflow": "import tensorflow\ntensorflow.random.set_seed(2)\n",
    "torch": "import torch\ntorch.manual_seed(2)\n",
    "jax": "",
}
_SCRIPTS = Path(__file__).with_name("scripts")


def run(backend: str, n: int) -> int:
    """Run the whole article on one backend. Returns the exit code."""
    if backend not in BACKENDS:
        raise UsageError(f"--backend is one of {', '.join(BACKENDS)}; got {backend!r}")
    if n < 3:
        raise UsageError(f"-n is at least 3: the article's models are compared; got {n}")
    FOLDER.mkdir(exist_ok=True)
    return _theano() if backend == "theano" else _keras3(backend, n)


# --- Keras 3 ---------------------------------------------------------------------------------------------------------


def _keras3(backend: str, n: int) -> int:
    missing = [module for module in ("keras", backend, "sklearn") if importlib.util.find_spec(module) is None]
    if missing:
        raise UsageError(f"this demo needs {', '.join(missing)}: pip install 'seedwise[keras,{backend}]'")
    os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    body = (_SCRIPTS / "keras_repeats.py").read_text()
    four = f"from numpy.random import seed\nseed(1)\n{_SECOND_LINE[backend]}"
    for name, text in (
        ("repeats.py", body),
        ("article_lines.py", four + body),
        ("seeded.py", "import keras\nkeras.utils.set_random_seed(1)\n" + body),
        ("train.py", (_SCRIPTS / "keras_train.py").read_text()),
        ("threads.py", (_SCRIPTS / "keras_threads.py").read_text()),
    ):
        (FOLDER / name).write_text(text)
    print(f"Keras 3 on {backend}, {n} seeds a time: about a quarter of an hour on two cores; -n 5 is sooner done.")
    print(f"The scripts are in {FOLDER}.\n")
    _remedies(backend)
    _many(n)
    _still_different()
    if backend == "tensorflow":
        _replay()
    return 0


def _remedies(backend: str) -> None:
    """Repeat the script without a seed, with the article's lines, and with today's one line."""
    print("Ten repeats of one script, no seed: ten results.")
    first = _python("repeats.py")
    _show(first)
    if len(set(first)) < 2:
        raise SeedwiseError("ten unseeded repeats gave one value")
    print(
        "\nThe article's remedy, NumPy's seed(1)"
        + (" and the backend's seed 2" if _SECOND_LINE[backend] else "")
        + ", executed twice:"
    )
    _twice(
        "article_lines.py",
        "Keras 3 takes its starting weights from Python's `random`, which these lines leave unseeded.",
    )
    print("\nToday's remedy, keras.utils.set_random_seed(1), executed twice:")
    if not _twice("seeded.py", ""):
        raise SeedwiseError("two executions under one seed differ: seedwise check -- python seeded.py")


def _many(n: int) -> None:
    """Run many repeats and summarise them; compare two models; train ten times as long."""
    print(f"\nThe other remedy: many repeats, summarised; here {n} seeds, each in a process of its own.")
    _seedwise("run", "-n", str(n), "--name", "narrow", "--", "python", "train.py")
    print("\nTwo models, 1-10-1 and 1-30-1:")
    _seedwise("run", "-n", str(n), "--name", "wide", "--", "python", "train.py", "--hidden", "30", quiet=True)
    _seedwise("compare", "wide", "narrow")
    print("\nTen times as long, 100 epochs and 1,000:")
    _seedwise("run", "-n", str(n), "--name", "long", "--", "python", "train.py", "--epochs", "1000", quiet=True)
    _seedwise("compare", "long", "narrow")


def _still_different() -> None:
    """Run `check` on three variants of the script."""
    print("\nStill different? The article's lines, then dropout, then several threads.")
    _seedwise("check", "--", "python", "article_lines.py")
    _seedwise("check", "--", "python", "train.py", "--dropout", "0.2")
    _seedwise("check", "--", "python", "threads.py")


def _replay() -> None:
    """Print the article's values under TensorFlow beside those of the same draws today."""
    print("\nThe values that the article printed under TensorFlow in 2017, and the same draws replayed today:")
    (FOLDER / "replay.py").write_text((_SCRIPTS / "keras_replay.py").read_text())
    _beside(_python("replay.py"), TENSORFLOW)
    print(
        "The starting weights are the article's; what remains, up to about two per cent, is of the size that Adam's step counter "
        "taken one higher makes, and was not traced further."
    )


def _python(script: str) -> list[float]:
    """The numbers that a script prints in a fresh process."""
    print(f"$ python {script}", flush=True)
    done = subprocess.run([sys.executable, script], cwd=FOLDER, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SeedwiseError(
            f"{FOLDER / script} ended with exit code {done.returncode}: {done.stderr.strip().splitlines()[-1:]}"
        )
    return _numbers(done.stdout)


def _numbers(text: str) -> list[float]:
    return [float(word) for word in re.findall(r"(?m)^(?:mse = )?([-+.\de]+)$", text)]


def _show(values: Sequence[float]) -> None:
    print("  " + " ".join(f"{value:.6g}" for value in values), flush=True)


def _twice(script: str, otherwise: str) -> bool:
    values = [_python(script) for _ in range(2)]
    for printed in values:
        _show(printed)
    same = values[0] == values[1]
    print("The two agree in every printed digit." if same else f"The two differ. {otherwise}", flush=True)
    return same


def _seedwise(*words: str, quiet: bool = False) -> None:
    """Run one of Seedwise's own commands, and print it as a user would type it."""
    print(f"$ seedwise {' '.join(words)}", flush=True)
    own = [sys.executable if word == "python" else word for word in words]
    done = subprocess.run(
        [sys.executable, "-m", "seedwise.cli", *own],
        cwd=FOLDER,
        check=False,
        stdout=subprocess.DEVNULL if quiet else None,
        env={**os.environ, "SEEDWISE_STORE": str((FOLDER / ".seedwise").absolute())},
    )
    if done.returncode not in (0, 1):  # 1 is the answer "no"
        raise SeedwiseError(f"`seedwise {' '.join(words)}` ended with exit code {done.returncode}")


def _beside(ours: Sequence[float], printed: Sequence[float]) -> None:
    if len(ours) != len(printed):
        raise SeedwiseError(f"{len(printed)} values were expected; got {len(ours)}")
    print("  today        the article      apart by")
    for value, article in zip(ours, printed, strict=True):
        print(f"  {value:<11.6g}  {article:<15.12g}  {abs(value / article - 1):.4%}")


# --- Theano ----------------------------------------------------------------------------------------------------------


def _theano() -> int:
    python = _old_python()
    (FOLDER / "article.py").write_text((_SCRIPTS / "keras_theano.py").read_text())
    os.environ.update(KERAS_BACKEND="theano", THEANO_FLAGS="cxx=,blas.ldflags=,base_compiledir=.theano-compiled")
    print("Keras 2.2.5 on Theano 1.0.5, the article's script and its seed, in a virtual environment of its own.")
    command = ["run", "--seeds", "1", "--name", "theano", "--", str(python), "article.py"]
    _seedwise(*command, quiet=True)
    from ..api.experiments import output_of

    values = _numbers(Path(output_of("theano", 1, "stdout", str(FOLDER / ".seedwise"))).read_text())
    _beside(values, THEANO)
    near = sum(abs(value / article - 1) < 1e-4 for value, article in zip(values, THEANO, strict=True))
    worst = max(abs(value / article - 1) for value, article in zip(values, THEANO, strict=True))
    print(f"{near} of the article's ten values come out within one part in ten thousand, all within {worst:.2%}.")
    return 0


def _old_python() -> Path:
    """The interpreter of a virtual environment with the old packages. The environment is made if it does not exist."""
    place = (FOLDER / ".theano").absolute()
    python = place / "bin" / "python"
    if (place / "installed").exists():
        return python
    base = next((found for name in _old_names() if (found := shutil.which(name))), None)
    if base is None:
        raise UsageError("Theano's NumPy needs Python 3.9, 3.10 or 3.11; none is on PATH")
    print(f"$ {base} -m venv {place.name}; pip install --no-deps {' '.join(OLD_PACKAGES)}", flush=True)
    for command in (
        [base, "-m", "venv", "--clear", str(place)],
        [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", *OLD_PACKAGES],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            last = (done.stderr or done.stdout).strip().splitlines()[-1:]
            raise SeedwiseError(f"the old packages cannot be installed: {last[0] if last else 'no reason given'}")
    (place / "installed").touch()
    return python


def _old_names() -> list[str]:
    own = [sys.executable] if sys.version_info[:2] <= (3, 11) else []
    return [*own, "python3.11", "python3.10", "python3.9"]
