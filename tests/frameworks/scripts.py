"""The scripts of docs/frameworks, with what is promised of each in the table of docs/frameworks.md.

A line that ends in `# seed site` holds the one number 42 that is a seed; the edited copy has another number there.
"""

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "docs" / "frameworks"
_SITE = re.compile(r"\b42\b(?=.*# seed site$)", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """`ledger`: generators with their states; `steps`: whether `check` sees the parameters step by step; `once`: what is
    imported once for all forked runs."""

    name: str
    script: str
    ledger: dict[str, str]
    steps: bool
    once: str
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        return (FOLDER / self.script).read_text(encoding="utf-8")

    def edited(self, seed: int) -> str:
        return _SITE.sub(str(seed), self.text)

    def line_that_imports(self, name: str) -> int:
        lines = enumerate(self.text.splitlines(), start=1)
        return next(k for k, line in lines if re.match(rf"(?:import|from) {re.escape(name)}\b", line))

    def sites(self) -> list[tuple[int, str]]:
        return [(k, "42") for k, line in enumerate(self.text.splitlines(), start=1) if _SITE.search(line)]


_GLOBAL = {"random": "seeded", "numpy.random": "seeded"}
_QUIET = ("TF_CPP_MIN_LOG_LEVEL", "3")

CASES = (
    Case(
        "keras-tensorflow",
        "keras_net.py",
        {**_GLOBAL, "tensorflow": "seeded", "keras": "seeded"},
        True,
        "keras",
        (("KERAS_BACKEND", "tensorflow"), _QUIET),
    ),
    Case(
        "keras-jax", "keras_net.py", {**_GLOBAL, "keras": "seeded"}, True, "keras", (("KERAS_BACKEND", "jax"), _QUIET)
    ),
    Case(
        "keras-torch",
        "keras_net.py",
        {**_GLOBAL, "torch": "seeded", "keras": "seeded"},
        True,
        "keras",
        (("KERAS_BACKEND", "torch"), _QUIET),
    ),
    Case("tensorflow", "tensorflow_loop.py", {"tensorflow": "seeded"}, False, "tensorflow", (_QUIET,)),
    Case("flax", "flax_net.py", {"jax key made at flax_net.py:26": "seeded"}, False, "jax, optax, flax"),
    Case("lightning", "lightning_net.py", {**_GLOBAL, "torch": "seeded"}, True, "lightning"),
    Case("transformers", "transformers_net.py", {**_GLOBAL, "torch": "seeded"}, True, "torch, transformers"),
    Case("accelerate", "accelerate_loop.py", {**_GLOBAL, "torch": "seeded"}, True, "torch, accelerate"),
    Case("ignite", "ignite_net.py", {**_GLOBAL, "torch": "seeded"}, True, "torch, ignite.engine"),
    Case("skorch", "skorch_net.py", {"torch": "seeded"}, True, "torch, skorch"),
    Case("scikit-learn", "sklearn_net.py", {}, False, "sklearn.datasets"),
    Case("gymnasium", "gymnasium_agent.py", {}, False, "gymnasium"),
    Case("pytensor", "pytensor_net.py", {}, False, "numpy"),
)


def what_check_compares(case: Case) -> str:
    """The cell of the table."""
    if not case.steps:
        return "output, metrics, files"
    return "weights after each epoch" if case.name.startswith("keras") else "parameters after each step, operations"
