"""Entering a process, whatever program launched it: read the plan of this run and do what it says."""

from __future__ import annotations

import atexit
import json
import os
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable

from ..notebooks.cells import is_notebook, notebook_of
from ..notebooks.loading import is_launched, run_notebooks_here, typed_cells
from ..protocol import CONFIGURATION, INSTRUCTIONS, PROTOCOL, SEED, SPOOL, Refusal
from . import spool
from .imports import when_imported

REFUSED = 97
"""Exit status of a process that cannot run as planned. The reason is in the spool."""


def enter() -> None:
    """Called once, at the start of every Python process of a run.

    An error here ends the process, so that no run goes on without Seedwise.
    """
    try:
        _enter()
    except Exception as error:  # noqa: BLE001
        import traceback

        traceback.print_exc()
        _refuse("fault", f"Seedwise's guest failed to start: {type(error).__name__}: {error}")


def _enter() -> None:
    folder = spool.folder()
    try:
        with open(os.path.join(folder, INSTRUCTIONS), encoding="utf-8") as file:
            plan: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        return  # the spool is gone: the process outlived its run
    if plan.get("v") != PROTOCOL:
        _refuse(
            "version",
            f"this guest speaks protocol {PROTOCOL}, its host {plan.get('v')}: install one version of Seedwise",
        )
    if plan["mode"] == "plan":
        _report_and_leave(folder)
        return
    if plan["mode"] == "check":
        spool.send("hello", ppid=os.getppid(), argv=list(getattr(sys, "orig_argv", sys.argv)))
        sys.meta_path.append(_Stub())
        _run_notebook(typed_cells)
        from ..tracing.checked_process import enter as check

        check(plan)
        return
    if plan["mode"] == "prefork":
        if spool.claim("prefork"):  # only one Python process of a command forks runs
            _Run(plan).fork_for_runs()
        return
    run = _Run(plan)
    run.say_hello()
    run.take_hold()
    if plan["mode"] == "probe":
        run.watch_first_seeding()


def _run_notebook(cells_of: Callable[[str], list[tuple[str, str]]]) -> None:
    """Where this interpreter was given a notebook, let it execute the cells."""
    if is_launched():
        run_notebooks_here(cells_of)


def _report_and_leave(folder: str) -> None:
    from ..sites.reading import report

    if report(folder):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _refuse(kind: Refusal, reason: str) -> None:
    spool.send("refused", kind=kind, reason=reason)
    sys.stderr.write(f"seedwise: {reason}\n")
    sys.stderr.flush()
    os._exit(REFUSED)


class _Stub:
    """Stands last on `sys.meta_path`: answers `import seedwise` where Seedwise itself is not installed."""

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name in ("seedwise", "seedwise.integrations") or name.startswith("seedwise.integrations."):
            return ModuleSpec(name, self, is_package=name.count(".") < 2)  # type: ignore[arg-type]
        return None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        import seedwise_guest

        if spec.name == "seedwise.integrations":
            return ModuleType(spec.name, "The callbacks that log a trainer's metrics.")
        if spec.name != "seedwise":
            return _logger(spec.name)
        module = ModuleType("seedwise", "What a run offers of Seedwise: log, seed_everything, seeded, Streams.")
        for name in ("log", "Predictions", "seed_everything", "seeded", "Streams", "Ledger", "State", "SeedError"):
            setattr(module, name, getattr(seedwise_guest, name))
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to do."""


def _logger(name: str) -> ModuleType:
    """The module of a callback in `seedwise.integrations`. Its code is in the guest."""
    from importlib import import_module

    inner = name.rpartition(".")[2]
    try:
        home = import_module("seedwise_guest.loggers." + inner)
    except ModuleNotFoundError as error:
        if error.name != "seedwise_guest.loggers." + inner:
            raise
        raise ModuleNotFoundError(f"No module named {name!r}", name=name) from None
    module = ModuleType(name, home.__doc__)
    module.__dict__.update({key: value for key, value in vars(home).items() if not key.startswith("__")})
    return module


class _Run:
    """This process, as its plan describes it."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._adopt_plan(plan)
        self.control: Any = None
        self.is_run = plan["mode"] in ("run", "probe")
        """False in a process that only forks; its children become runs."""
        self.is_forked = False
        self.late_sites: list[dict[str, Any]] = []
        self.sources: Any = None
        """Keeps the sources of randomness apart, if they are."""
        self.forks = 0
        self.path: tuple[str | int, ...] = ()

    def _adopt_plan(self, plan: dict[str, Any]) -> None:
        self.plan = plan
        self.seed: int = plan["seed"]
        self.number: int | None = plan["number"]
        self.has_sites: bool = plan["has_sites"]

    def say_hello(self) -> None:
        """Tell the host that the guest is running in this process."""
        argv = list(getattr(sys, "orig_argv", sys.argv))
        spool.send("hello", ppid=os.getppid(), argv=argv, python=sys.version.split()[0])

    def take_hold(self) -> None:
        """Set everything up before the script begins."""
        from .capture import Files

        sys.meta_path.append(_Stub())
        self.files = Files()
        self.files.watch()
        self.substitution: Any = None
        if self.plan["substitute"]:
            self._substitute()
        _run_notebook(typed_cells if self.substitution is None else self.substitution.cells)
        if self.plan["control"]:
            self._control()
            if self.plan.get("announce"):
                from ..prefork.late_imports import announce_imports

                announce_imports()
        atexit.register(self.tell)

    def watch_first_seeding(self) -> None:
        """Tell which site's number reaches a generator first, and leave with the first global one."""
        from ..randomness.first_seeding import FirstSeeding

        def found(generator: str, given: int, site: int | None, is_global: bool) -> None:
            read = [path for path in self.files.inputs() if path.lower().endswith(CONFIGURATION)]
            spool.send("seeding", generator=generator, given=given, site=site, is_global=is_global, read=read)
            if is_global:
                os._exit(0)

        FirstSeeding(self.plan["numbers"], found).watch(self.control.ledger)

    def fork_for_runs(self) -> None:
        """Execute the script's first lines once, and fork each run from there."""
        from ..prefork.exiting import leave
        from ..prefork.forking_process import Process
        from ..prefork.prologue import Prologue
        from ..prefork.watch import Watch
        from ..protocol import CALL
        from ..sites.substitution import run_script_here
        from . import function_calls

        plan = self.plan
        way_back = None
        if plan["world"] is not None:  # only this process and its children see what the first lines write
            from ..sandbox import world

            with open(plan["world"], encoding="utf-8", errors="surrogateescape") as file:
                way_back = world.enter_and_remember(json.load(file))
        self.take_hold()
        self.control.gather()
        words = list(sys.argv)
        watch = Watch(
            self.control,
            plan["own_variables"],
            plan["own_arguments"],
            plan["config"],
            plan["shared"],
            quiet=spool.folder() + os.sep,
            private=way_back is not None,
        )
        if self.substitution is not None:
            self.substitution.reaching = lambda path: watch.stop(f"reaches a seed in {os.path.basename(path)}")
        if self.sources is not None:
            self.sources.before_each_draw(lambda: watch.stop("draws random numbers"))
        prologue = Prologue(Process(watch), watch, plan["edits"], way_back, self.become_run)

        def execute(path: str, namespace: dict[str, Any], text: Any) -> None:
            if os.path.abspath(path) == CALL:
                namespace.update(sys=sys, main=function_calls.main)
                prologue.run_call(
                    lambda: function_calls.find(words[1:]), lambda found: function_calls.call(found, sys.argv[1:])
                )
            elif is_notebook(path):
                prologue.run_notebook(
                    path, namespace, typed_cells if self.substitution is None else self.substitution.cells
                )
            else:
                prologue.run_script(path, namespace, text)

        run_script_here(self.substitution, execute, leave)

    def become_run(self) -> None:
        """Go on under the plan of a run.

        Called in a forked child that already has the environment and the files of its run.
        """
        with open(os.path.join(spool.folder(), INSTRUCTIONS), encoding="utf-8") as file:
            self._adopt_plan(json.load(file))
        self.is_run = self.is_forked = True
        self.say_hello()
        if self.substitution is not None:
            self.substitution.reaching = lambda path: None
            self.substitution.edits = self.plan["edits"]
        self.path = _process_path(False)
        _tell_children(self.path)
        self.control.begin_again(self.seed, self._start, self.path)
        if self.sources is not None:
            self.sources.begin_again(self.plan["vary"])

    def _substitute(self) -> None:
        from ..sites.substitution import Substitution

        self.substitution = Substitution(
            self.plan["edits"], self.plan["digests"], self._plan_late, lambda path: _refuse("changed", _changed(path))
        )
        self.substitution.install()
        self._plan_own_script()

    def _plan_own_script(self) -> None:
        """Read this process's script now, with all that it imports, if the plan does not know it.

        Such a script was started by the one that the plan knows.
        """
        from .launch import find_script, this_launch

        if not self.plan["digests"] and not self.plan["script"]:
            return
        launch = this_launch()
        script = find_script(launch) if launch.kind in ("script", "module") else None
        if script is None or script.path in self.plan["digests"] or script.path == self.plan["script"]:
            return
        from ..sites.reading import read_script

        try:
            found = read_script(script)
        except (SyntaxError, OSError, ValueError, RecursionError):
            return
        self._adopt(found)

    def _adopt(self, found: Any) -> None:
        """Place seeds in files that were not known until now."""
        from ..sites.placement import place_seeds

        known = self.substitution.digests
        found.sites = [site for site in found.sites if site.path not in known]
        placement = place_seeds(found, [])
        if self.number is None:
            self.number = placement.number
        placement.number = self.number
        for path, digest in found.files.items():
            known.setdefault(path, digest)
        self.substitution.edits.update(placement.edits(self.seed))
        self.has_sites = self.has_sites or bool(placement.own)
        self.late_sites.extend(
            {**site.as_dict(), "value": placement.value(site, self.seed)} for site in placement.sites
        )

    def _plan_late(self, path: str, data: bytes) -> list[list[Any]]:
        """Find the seeds of a user's file while it is loaded.

        No import statement led to this file, so it was not read before.
        """
        lower = data.lower()
        if not any(word in lower for word in (b"seed", b"random", b"rng")):
            return []
        from ..sites.reading import read_file

        try:
            self._adopt(read_file(path, data))
        except (SyntaxError, ValueError, RecursionError):
            return []
        edits: list[list[Any]] = self.substitution.edits.get(path, [])
        return edits

    def _control(self) -> None:
        from ..randomness.seeding import Control
        from .launch import is_spawned

        if self.is_run:
            self.path = _process_path(is_spawned())
            _tell_children(self.path)
        _number_children(lambda: self.is_run)
        self.control = Control(self.seed, start=self._start, path=self.path)
        self.control.take_hold()
        self.control.watch_imports()
        if self.plan.get("vary"):
            from ..randomness.sources import Sources

            self.sources = Sources(self.plan["vary"], self.control)
        if hasattr(os, "register_at_fork"):
            # this hook runs after `random`'s own, which reseeds from the system in every forked child
            when_imported("random", lambda module: os.register_at_fork(before=self._count, after_in_child=self._forked))
        if is_spawned():
            when_imported("multiprocessing.process", self._hold_spawned)

    def _start(self, library: str) -> int:
        """The number from which the global generators of a library start."""
        from ..randomness.streams import derive

        if self.path:
            return derive(self.seed, "start", *self.path, library)
        return derive(self.seed, "start", library) if self.has_sites else self.seed

    def _count(self) -> None:
        self.forks += self.is_run

    def _forked(self) -> None:
        if not self.is_run:
            return
        from ..randomness.streams import derive

        self.control.path = (*self.control.path, "fork", self.forks)
        _tell_children(self.control.path)
        self.control.restart_streams()
        self.control.seed_unnoted("random", derive(self.seed, "start", *self.control.path, "random"))

    def _hold_spawned(self, module: ModuleType) -> None:
        """A spawned process learns only later which one it is.

        Then give its generators that nobody has touched the start that belongs to it.
        """
        from ..randomness.streams import derive

        process: Any = module.BaseProcess
        bootstrap = process._bootstrap
        starts: dict[str, object] = {}

        def remember(name: str) -> None:
            starts[name] = next(b.digest() for b in self.control.backends if b.name == name)

        self.control.on_started(remember)

        def own_bootstrap(this: Any, *args: Any, **kwargs: Any) -> Any:
            process._bootstrap = bootstrap
            path = (*self.control.path, *this._identity)
            self.control.path = path
            _tell_children(path)
            self.control.start_from(lambda library: derive(self.seed, "start", *path, library))
            for backend in self.control.backends:
                if backend.name in self.control.started and backend.digest() == starts.get(backend.name):
                    self.control.seed_unnoted(backend.name, derive(self.seed, "start", *path, backend.name))
            return bootstrap(this, *args, **kwargs)

        process._bootstrap = own_bootstrap

    def _is_placed(self) -> bool:
        """Whether the script was loaded with the seeds of this run in it. True also for a script without seeds."""
        script = self.plan["script"]
        if self.substitution is None or not script:
            return True
        if not any(path == script or notebook_of(path) == script for path in self.plan["edits"]):
            return True
        return os.path.realpath(script) in map(os.path.realpath, self.substitution.edited)

    def tell(self) -> None:
        """Called at the end of the process: send what it loaded and read, and its ledger."""
        if not self.is_run:
            return
        if self.is_forked and not self._is_placed():
            spool.send("not-forked", reason="the script was not loaded by Seedwise, so no seed was placed")
        self.files.stop()
        if self.sources is not None:
            self.sources.tell()
        from .capture import modules

        loaded = dict(self.substitution.loaded) if self.substitution is not None else {}
        for path, digest in modules.loaded_sources(loaded).items():
            loaded.setdefault(path, digest)
        edited = sorted(self.substitution.edited) if self.substitution is not None else []
        spool.send(
            "end",
            loaded=loaded,
            edited=edited,
            read=self.files.inputs(),
            read_more=self.files.more,
            written=self.files.outputs(),
            libraries=modules.libraries(),
            late_sites=self.late_sites,
            path=list(self.control.path) if self.control is not None else [],
            ends=self.control.ends() if self.control is not None else {},
            ledger=self.control.ledger.as_dicts() if self.control is not None else [],
        )


def _changed(path: str) -> str:
    return f"{path} was changed after the seed sites were read; start the command again"


def _tell_children(path: tuple[str | int, ...]) -> None:
    """Pass the path of this process on, so that processes it starts derive their streams from it."""
    if path:
        os.environ[PATH] = json.dumps(path)
    os.environ.pop(CHILD, None)


PATH = "SEEDWISE_PATH"
"""Environment variable: the path of the process that started this one, as JSON. Not set for the first process of a
run.
"""
CHILD = "SEEDWISE_CHILD"
"""Environment variable: the number of this subprocess. A process numbers its subprocesses in the order in which it
starts them.
"""
_RANKS = ("RANK", "OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID")


def _process_path(spawned: bool) -> tuple[str | int, ...]:
    """The names and numbers that distinguish this process from the others of its run.

    They are () for the first one, and for rank 0 of the outermost ranks.
    """
    above = tuple(json.loads(os.environ.get(PATH, "[]")))
    if spawned:
        return (*above, "spawn")
    for name in _RANKS:
        rank = os.environ.get(name, "")
        if rank.isdigit() and not above:
            return ("rank", int(rank)) if int(rank) else ()
    if spool.claim("first-process"):
        return ()
    child = os.environ.get(CHILD, "")
    if child.isdigit() and spool.claim(f"child-{'-'.join(map(str, above))}-{child}"):
        return (*above, "child", int(child))
    from zlib import crc32

    from .launch import original_arguments

    name = f"{crc32(chr(0).join(original_arguments()).encode('utf-8', 'surrogatepass')):08x}"
    k = 0
    while k < 10_000 and not spool.claim(f"process-{name}-{k}"):
        k += 1
    return (*above, "process", name, k)


_STARTING = frozenset({"subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.system"})


def _number_children(is_run: Callable[[], bool]) -> None:
    """Number the subprocesses that this process starts.

    Each one gets its own generators, and the same ones in every run.
    """
    counter = [0, 0]

    def audit(event: str, arguments: tuple[Any, ...]) -> None:
        if event not in _STARTING or not is_run():
            return
        if not counter[1]:
            counter[1] = 1
            spool.claim("children")
        if event == "subprocess.Popen":
            counter[0] += 1
            os.environ[CHILD] = str(counter[0])

    sys.addaudithook(audit)
    when_imported("subprocess", _number_in_environments)


_ENVIRONMENT = 5
"""The position of the environment among the arguments of CPython's `_posixsubprocess.fork_exec`. It is a list of
`NAME=value`, or None.
"""


def _number_in_environments(subprocess: ModuleType) -> None:
    """Put the number also into an environment that the user's code gives to a subprocess.

    This is done if that environment leads to our spool.

    The number is put into a copy. The user's mapping does not change.
    """
    home: Any = subprocess
    name = "_fork_exec"
    if not hasattr(home, name):  # before 3.11
        home, name = getattr(subprocess, "_posixsubprocess", None), "fork_exec"
    original: Any = getattr(home, name, None)
    if original is None:
        return
    keys = (CHILD, PATH, SPOOL, SEED)  # values of this run: the user's mapping may have been made before the run began
    mine = {os.fsencode(key) + b"=" for key in keys}
    spools = os.fsencode(SPOOL) + b"="

    def fork_exec(*arguments: Any) -> Any:
        given = arguments[_ENVIRONMENT] if len(arguments) > _ENVIRONMENT else None
        if isinstance(given, list) and any(word.startswith(spools) for word in given):
            kept = [word for word in given if not word.startswith(tuple(mine))]
            ours = [os.fsencode(f"{key}={os.environ[key]}") for key in keys if key in os.environ]
            arguments = (*arguments[:_ENVIRONMENT], [*kept, *ours], *arguments[_ENVIRONMENT + 1 :])
        return original(*arguments)

    setattr(home, name, fork_exec)
