"""The guest stays light, and is readable by every Python it may meet."""

import subprocess
import sys
import textwrap
from pathlib import Path

HEAVY = {
    "numpy",
    "torch",
    "scipy",
    "rich",
    "cyclopts",
    "sqlite3",
    "jax",
    "keras",
    "tensorflow",
    "dask",
    "ray",
    "altair",
    "pandas",
}


def modules_after(code: str) -> set[str]:
    out = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(out.stdout.split())


def test_import_seedwise_loads_nothing_heavy() -> None:
    assert not modules_after("import seedwise") & HEAVY


def test_the_guest_is_standard_library_only() -> None:
    loaded = modules_after(
        "import seedwise_guest.process.start, seedwise_guest.sites.reading, seedwise_guest.sandbox.world, seedwise_guest.randomness.seeding"
    )
    loaded |= modules_after(
        "import seedwise_guest.sites.substitution, seedwise_guest.process.capture, seedwise_guest.protocol"
    )
    top = {name.partition(".")[0] for name in loaded}
    assert top <= set(sys.stdlib_module_names) | {"__main__", "seedwise_guest"} | {
        n for n in top if "editable" in n or n.startswith("_")
    }


def test_public_names_are_all_there() -> None:
    import seedwise

    for name in seedwise.__all__:
        assert getattr(seedwise, name) is not None


def test_a_forked_process_looks_only_at_the_modules_that_came_after_the_fork(tmp_path: Path) -> None:
    for name in ("before", "after", "twice"):
        (tmp_path / f"{name}.py").write_text("")
    text = """
        import sys, seedwise_guest.prefork
        from seedwise_guest.process.capture import Modules
        import before, twice, numpy
        modules = Modules()
        modules.remember()
        looked = []
        class Watched(dict):
            def get(self, name, *rest):
                looked.append(name)
                return super().get(name, *rest)
        import after, pytest
        sys.modules.pop("twice")
        import twice
        sys.modules = Watched(sys.modules)
        mine = [name for name, _module in modules.mine()]
        assert set(mine) == {"__main__", "before", "after", "twice"}, mine
        assert "numpy" not in looked and "before" not in looked and {"after", "twice", "pytest"} <= set(looked)
        assert {"numpy", "pytest"} <= set(modules.libraries())
        assert {path.rpartition("/")[2] for path in modules.loaded_sources({})} == {"script.py", "before.py", "after.py", "twice.py"}
    """
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(text))
    subprocess.run([sys.executable, script], check=True, cwd=tmp_path)
