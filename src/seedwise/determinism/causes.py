"""The causes, and for each one the smallest change that removes it."""

import ast
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from seedwise_guest.protocol import IN_CHILDREN, SHOWN

from ..places import short_place, with_short_place, without_place
from ..threads import thread_settings


class Cause(StrEnum):
    """Why the same program gave another result."""

    GENERATOR = "unseeded generator"
    LATE = "generator seeded too late"
    ENTROPY = "system entropy"
    CLOCK = "clock"
    BUDGET = "time budget"
    MACHINE = "state of the machine (memory, load)"
    PID = "process number"
    HASH = "hash order of strings"
    ADDRESS = "order of objects by memory address"
    LISTING = "directory order"
    DRAWN_NAMES = "order of files whose names are drawn"
    COMPLETION = "completion order"
    BESIDE = "perhaps threads, processes or tasks side by side"
    THREADS = "thread count"
    KERNEL = "nondeterministic operation"
    MEMORY = "uninitialised memory"
    WORKERS = "number of DataLoader workers"
    STREAMS = "workers that repeat each other's stream"
    NO_EFFECT = "seed without effect"
    EARLIER = "files that an earlier run left"
    RACE = "race, or another rare event"
    UNKNOWN = "not found"


@dataclass(frozen=True)
class Fix:
    """A fix: the change in words, and the settings that try its effect without editing the program."""

    text: str
    interventions: dict[str, object]
    environment: dict[str, str]
    generators: tuple[str, ...] = ()
    """The generators that are seeded, by their names in the ledger."""


def fix_for(
    cause: Cause,
    where: str,
    generators: Sequence[str] = (),
    *,
    libraries: Collection[str] = (),
    gpu: bool = False,
    xla_flags: str = "",
    sorted_at: Sequence[tuple[str, str]] = (),
    made_by: str = "",
) -> Fix:
    """The smallest change that removes a cause, and how to get the same effect without editing the program.

    Parameters
    ----------
    cause, where
        The cause and its line, `file:line`; "" if it is not known.
    generators
        The generators that are the cause, by their names in the ledger.
    libraries
        The libraries in the program that have generators, by the ledger's names. For example, Keras draws its seeds
        from `random`.
    gpu
        Whether the program uses a GPU.
    xla_flags
        The XLA_FLAGS that are set already.
    sorted_at
        Lines at which sorting a set was shown to be enough, each with what is ordered there.
    made_by
        The library that made the generator, if it is not the user's own line.
    """
    if cause is Cause.HASH and sorted_at:
        return _sorting(sorted_at)
    where = short_place(where)
    at = f" ({where})" if where else ""
    names = ", ".join(map(without_place if len(generators) == 1 else with_short_place, generators))
    seed = {
        "random": "keras.utils.set_random_seed(0)" if "keras" in libraries else "random.seed(0)",
        "numpy.random": "np.random.seed(0)",
        "torch": "torch.manual_seed(0)",
        "tensorflow": "tf.random.set_seed(0)",
        "keras": "keras.utils.set_random_seed(0)",
        "cupy.random": "cupy.random.seed(0)",
    }
    calls = [seed[g] for g in generators if g in seed]
    if cause is Cause.GENERATOR:
        if any(g.endswith(IN_CHILDREN) for g in generators):
            text = f"seed it at the start of each child process, from a number of the task's own{at}: {names}"
        elif made_by:
            how = _SEEDED_BY.get(made_by, "look for its argument seed, random_state or rng")
            text = f"give a seed to {made_by}, which made it{at}: {how}"
        elif calls:
            text = f"seed it before it is first drawn from{at}: {', '.join(calls)}"
        elif all(without_place(g).endswith(".seed()") for g in generators):
            made = (without_place(g).removesuffix(".seed()") for g in generators)
            called = [seed.get(name, "manual_seed(0)") for name in made]
            text = f"put {', '.join(called)} in the place of {names}{at}, which starts the generator from the system's entropy"
        else:
            text = f"give it a seed where it is made{at}: {names}"
        return Fix(text, {}, {}, tuple(generators))
    if cause is Cause.LATE:
        return Fix(
            f"move the seeding before the first draw{at}: {', '.join(calls) or names}", {}, {}, tuple(generators)
        )
    text, interventions, environment = _remedies(at, where, libraries, gpu, xla_flags).get(cause, ("", {}, {}))
    if cause is Cause.ENTROPY and made_by == "numba":
        text = f"functions that numba compiles draw from a generator of its own{at}: call a function that is compiled too, @njit def seed(n): np.random.seed(n)"
    return Fix(text, interventions, environment)


_SEEDED_BY = {
    "gymnasium": "env.reset(seed=0), and env.action_space.seed(0) for actions that are sampled",
    "gym": "env.reset(seed=0), and env.action_space.seed(0) for actions that are sampled",
    "sklearn": "random_state=0",
    "scipy": "rng=0 (random_state=0 in older functions)",
    "pandas": "random_state=0",
    "networkx": "seed=0",
    "optuna": "sampler=optuna.samplers.TPESampler(seed=0)",
    "umap": "random_state=0",
    "gensim": "seed=0, and workers=1",
    "imblearn": "random_state=0",
    "albumentations": "A.Compose(…, seed=0)",
    "stable_baselines3": "seed=0",
}
"""How libraries that make generators of their own take a seed."""


def _sorting(lines: Sequence[tuple[str, str]]) -> Fix:
    """Sort at these lines, or, where `hash` of a text is taken, take a digest."""
    sets = ", ".join(short_place(line) for line, kind in lines if kind in ("word", SHOWN))
    hashes = ", ".join(short_place(line) for line, kind in lines if kind == "hash")
    parts = [f"sort the set where its order enters ({sets}): sorted(…)"] if sets else []
    if hashes:
        parts.append(
            f"take a digest instead of hash() ({hashes}): "
            'int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")'
        )
    return Fix("; ".join(parts), {"sets": {"sort": [line for line, _ in lines]}}, {})


def _remedies(
    at: str, where: str, libraries: Collection[str], gpu: bool, xla_flags: str
) -> dict[Cause, tuple[str, dict[str, object], dict[str, str]]]:
    """For each cause outside the generators: what to change.

    Also the interventions and environment variables that try its effect.
    """
    on_gpu = ", torch.backends.cudnn.benchmark = False, and CUBLAS_WORKSPACE_CONFIG=:4096:8 at launch"
    return {
        **_remedies_of_readings(at),
        Cause.HASH: (
            f"start with PYTHONHASHSEED=0 (lasting, but not shown: sort the set before its order is taken{', perhaps at ' + where if where else ''})",
            {},
            {"PYTHONHASHSEED": "0"},
        ),
        Cause.ADDRESS: (
            f"sort by something else than the object itself{at}: a set of objects is ordered by their addresses",
            {"addresses": "fixed"},
            {},
        ),
        Cause.LISTING: (f"sort what the directory lists{at}: sorted(…)", {"sort": "sorted"}, {}),
        Cause.DRAWN_NAMES: (
            f'number the files instead of drawing their names (f"part_{{k:03d}}"), and sort what the directory lists{at}: sorted(…) '
            "(tried: in the order in which they were written)",
            {"sort": "written", "names": "numbered"},
            {},
        ),
        Cause.COMPLETION: (
            f"take results in the order in which tasks were given{at}, not in which they end, and give each task that draws a seed of its own (tried: in order, by one worker)",
            {"collect": "ordered"},
            {},
        ),
        Cause.BESIDE: (
            f"let them run one at a time{at} (n_jobs=1, one worker), or let each draw from a generator of its own, and take what they give in the order of the tasks",
            {},
            {},
        ),
        Cause.THREADS: (
            f"pin the number of threads: {_one_thread(libraries)} at launch{at}",
            {"threads": 1},
            thread_settings(1, xla_flags),
        ),
        Cause.KERNEL: (
            f"torch.use_deterministic_algorithms(True){at}" + on_gpu * gpu,
            {"deterministic": True},
            {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"},
        ),
        Cause.MEMORY: (
            f"fill it before it is read{at}: torch.zeros or np.zeros instead of empty",
            {"memory": "zero"},
            {},
        ),
        Cause.WORKERS: (f"pin num_workers{at}: each worker draws its own stream", {}, {}),
        Cause.STREAMS: (
            f"reseed the generator in each worker{at}: worker_init_fn, from torch.utils.data.get_worker_info().seed",
            {"reseed": True},
            {},
        ),
        Cause.NO_EFFECT: (f"pass the seed on to the generators{at}", {}, {}),
    }


def _remedies_of_readings(at: str) -> dict[Cause, tuple[str, dict[str, object], dict[str, str]]]:
    """The part of `_remedies` about what a program reads from the system: entropy, clocks, the machine, earlier files."""
    return {
        Cause.ENTROPY: (
            f"uuid4, secrets and os.urandom cannot be seeded: take the number from a seeded generator{at}",
            {"entropy": "fixed"},
            {},
        ),
        Cause.CLOCK: (f"take the number from a seed, not from the clock{at}", {"readings": {"clock": True}}, {}),
        Cause.BUDGET: (
            f"bound the work by a number of trials or steps, not by seconds{at}",
            {"readings": {"clock": True}},
            {},
        ),
        Cause.MACHINE: (
            f"take the number from the configuration, not from the machine's memory or load{at}",
            {"readings": {"meter": True}},
            {},
        ),
        Cause.EARLIER: (
            f"delete that file before each run, or write into it what the program went on with{at}",
            {},
            {},
        ),
        Cause.PID: (f"take the number from a seed, not from the process number{at}", {"pid": "fixed"}, {}),
    }


def _one_thread(libraries: Collection[str]) -> str:
    settings = ["OMP_NUM_THREADS=1"]
    if "tensorflow" in libraries:
        settings.append("TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1")
    if "jax" in libraries or ("keras" in libraries and not {"torch", "tensorflow"} & set(libraries)):
        settings.append('XLA_FLAGS="--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"')
    if settings[1:]:
        return " ".join(settings)
    return "torch.set_num_threads(1), or OMP_NUM_THREADS=1" if "torch" in libraries else settings[0]


def set_order_line(files: Sequence[str]) -> str:
    """The first line in these files that iterates over an unsorted set, or that calls `hash`. "" if there is none."""
    found: list[str] = []
    for path in files:
        try:
            tree = ast.parse(Path(path).read_text(encoding="utf-8"))
        except (OSError, SyntaxError, ValueError):
            continue
        found += [f"{path}:{line}" for line in _SetOrder().lines_of(tree)]
    return found[0] if found else ""


_ORDER_FREE = frozenset("sorted len sum min max any all set frozenset".split())
_SET_METHODS = frozenset("union intersection difference symmetric_difference copy".split())


class _SetOrder(ast.NodeVisitor):
    """Finds iteration over sets, as far as the text shows what is a set."""

    def __init__(self) -> None:
        self._sets: set[str] = set()
        self._lines: list[int] = []

    def lines_of(self, tree: ast.AST) -> list[int]:
        for node in ast.walk(tree):
            targets: list[ast.expr] = []
            if isinstance(node, ast.Assign):
                targets, value = node.targets, node.value
            elif isinstance(node, ast.AnnAssign) and node.value is not None:
                targets, value = [node.target], node.value
            else:
                continue
            if self._is_set(value):
                self._sets |= {ast.unparse(t) for t in targets}
        self.visit(tree)
        return sorted(set(self._lines))

    def _is_set(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Set | ast.SetComp):
            return True
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                return node.func.id in ("set", "frozenset")
            if isinstance(node.func, ast.Attribute) and node.func.attr in _SET_METHODS:
                return self._is_set(node.func.value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
            return self._is_set(node.left) or self._is_set(node.right)
        return isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node) in self._sets

    def visit_For(self, node: ast.For) -> None:
        self._iterated(node.iter)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self._iterated(node.iter)
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        self._iterated(node.value)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in _ORDER_FREE:
            for argument in node.args:
                if not (
                    isinstance(argument, ast.GeneratorExp)
                    and name in ("sorted", "sum", "min", "max", "any", "all", "set", "len")
                ):
                    self.visit(argument)
            return
        if name == "hash" and isinstance(node.func, ast.Name):
            self._lines.append(node.lineno)
        if name == "pop" and isinstance(node.func, ast.Attribute) and not node.args and self._is_set(node.func.value):
            self._lines.append(node.lineno)
        for argument in node.args:
            self._iterated(
                argument
                if name
                in (
                    "list",
                    "tuple",
                    "iter",
                    "next",
                    "enumerate",
                    "zip",
                    "map",
                    "join",
                    "array",
                    "choice",
                    "fromiter",
                    "dict",
                    "extend",
                )
                else ast.Constant(0)
            )
        self.generic_visit(node)

    def _iterated(self, node: ast.expr) -> None:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in ("enumerate", "zip", "iter", "reversed", "list", "tuple")
        ):
            for argument in node.args:
                self._iterated(argument)
        elif self._is_set(node):
            self._lines.append(node.lineno)
