"""The reference of the Python names: which there are, where each stands, and a page for each group of them."""

import ast
import re
from collections.abc import Mapping, Sequence

from .defined import SOURCE, base_of, definition_of, names_of

GROUPS: Mapping[str, Sequence[str]] = {
    "Control of randomness": ("seed_everything", "seeded", "Streams", "Ledger", "State"),
    "Running under seeds": ("run", "run_script", "run_grid", "where", "log", "Predictions"),
    "Results": (
        "load", "load_family", "Results", "Run", "Scores", "Series", "Metric", "Family", "Goal", "Reduce", "Status", "Cause",
    ),
    "What the numbers mean": (
        "summarize", "compare", "compare_many", "compare_tasks", "summarize_tasks", "normalise", "plan", "expected_best",
        "select", "against_threshold", "by_step", "step_scores", "Summary", "Comparison", "Decision", "Ranking",
        "TaskRanking", "OverTasks", "Plan", "Choice", "Against",
    ),
    "Where the spread comes from": (
        "decompose", "variance_components", "plan_sources", "cross_validated", "noise_of_test_set", "Decomposition",
        "PlanOfSources",
    ),
    "Same seed, same result": ("check", "Check"),
    "Networks": ("diagnose", "ensemble", "Diagnosis", "Ensemble"),
    "Searching": ("objective", "finalists"),
}  # fmt: skip
"""Names of `seedwise` by subject. A name that stands nowhere here comes under "Others", errors under "Errors"."""


def public() -> Mapping[str, Sequence[str]]:
    """Every group with its names, each as it is imported: `seedwise.compare`."""
    every = names_of("seedwise")
    errors = [name for name in every if name.endswith("Error")]
    placed = {name for names in GROUPS.values() for name in names} | {*errors, "batched"}
    groups = {heading: [f"seedwise.{name}" for name in names] for heading, names in GROUPS.items()}
    groups["Errors"] = [f"seedwise.{name}" for name in errors]
    groups["Others"] = [f"seedwise.{name}" for name in every if name not in placed]
    for module in ("seedwise.batched", "seedwise.testing"):
        groups[module] = [f"{module}.{name}" for name in names_of(module)]
    bridges = [
        f"seedwise.integrations.{file.stem}" for file in sorted((SOURCE / "seedwise/integrations").glob("[!_]*.py"))
    ]
    groups["seedwise.integrations"] = [f"{module}.{name}" for module in bridges for name in names_of(module)]
    return {heading: names for heading, names in groups.items() if names}


def python_pages() -> Mapping[str, str]:
    """The pages by name, in reStructuredText with Sphinx's own directives: `python`, and one for each group."""
    groups = public()
    pages = {_slug(heading): _page(heading, names) for heading, names in groups.items()}
    beginning = (
        "Every public name, from its docstring. What stands here stays as it is, or changes with a word in "
        "the changes. ``import seedwise as sw`` loads nothing heavy. In signatures ``ScoresLike`` is whatever "
        "`compare()` takes as a side, and ``Rng`` a generator of NumPy, an integer or None."
    )
    listed = "\n".join(
        f":doc:`{heading} <{_slug(heading)}>`\n    {', '.join(f':py:obj:`~{name}`' for name in names)}\n"
        for heading, names in groups.items()
    )
    tree = "\n".join(f"    {name}" for name in pages)
    pages["python"] = f"{_titled('The Python names')}{beginning}\n\n{listed}\n.. toctree::\n    :hidden:\n\n{tree}\n"
    return pages


def _page(heading: str, names: Sequence[str]) -> str:
    blocks, last = [_titled(heading)], ""
    for name in names:
        module = name.rpartition(".")[0]
        if module != last and heading.startswith("seedwise."):
            title = "" if module == heading else _titled(module.rpartition(".")[2], "-")
            blocks.append(f"{title}.. automodule:: {module}\n    :no-members:\n")
        last = module
        blocks.append(_directive(name))
    return "\n".join(blocks)


def _directive(name: str) -> str:
    """How autodoc is told to document one name, by what it is."""
    found = definition_of(name)
    if isinstance(found, ast.FunctionDef):
        return f".. autofunction:: {name}\n"
    if name.endswith("Error"):
        return f".. autoexception:: {name}\n    :members:\n    :show-inheritance:\n"
    every = "    :undoc-members:\n" if "Enum" in base_of(found) or name.startswith("seedwise.testing.") else ""
    return f".. autoclass:: {name}\n    :members:\n{every}"


def _slug(heading: str) -> str:
    return re.sub(r"[^a-z]+", "-", heading.lower()).strip("-")


def _titled(heading: str, line: str = "=") -> str:
    return f"{heading}\n{line * len(heading)}\n\n"
