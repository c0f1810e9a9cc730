"""The guest stays light, and is readable by every Python it may meet."""

import subprocess
import sys

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
        "import seedwise_guest.start, seedwise_guest.planning, seedwise_guest.worlds, seedwise_guest.seeding"
    )
    loaded |= modules_after("import seedwise_guest.sites.substitute, seedwise_guest.capture")
    top = {name.partition(".")[0] for name in loaded}
    assert top <= set(sys.stdlib_module_names) | {"__main__", "seedwise_guest"} | {
        n for n in top if "editable" in n or n.startswith("_")
    }


def test_public_names_are_all_there() -> None:
    import seedwise

    for name in seedwise.__all__:
        assert getattr(seedwise, name) is not None
