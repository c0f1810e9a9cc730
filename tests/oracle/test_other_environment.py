"""The `python` of the command runs, with its own packages and without Seedwise: a second virtual environment."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from seedwise.api.script import run_script

TEXT = """
import sys
import numpy as np
SEED = 42
rng = np.random.default_rng(SEED)
np.random.seed(SEED)
import seedwise
seedwise.log(acc=np.random.rand(), draw=rng.random())
print(np.__version__, sys.prefix, seedwise.__doc__)
for name in ("rich", "cyclopts", "scipy", "seedwise.api"):
    try:
        __import__(name)
    except ImportError:
        continue
    print("leaked", name)
"""


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that holds another NumPy, uv, and no Seedwise."""
    folder = tmp_path_factory.mktemp("other") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    old = "1.26.4" if sys.version_info < (3, 13) else "2.1.3"
    subprocess.run([*pip, f"numpy=={old}", "uv"], check=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("how", ["path", "uv", "module", "command", "shebang", "shell"])
def test_runs_with_its_own_packages(how: str, other: Path, script: Callable[..., list[str]], project: Path) -> None:
    script(TEXT)
    python = str(other / "bin" / "python")
    expected = subprocess.run(
        [
            python,
            "-c",
            "import numpy as np; np.random.seed(7); print(np.random.rand(), np.random.default_rng(7).random())",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    (project / "go").write_text(f"#!{python}\n{TEXT}")
    (project / "go").chmod(0o755)
    (project / "go.sh").write_text(f"echo before > made_by_shell\n{python} train.py\n")
    command = {
        "path": [python, "train.py"],
        "uv": [str(other / "bin" / "uv"), "run", "--no-project", "--python", python, "train.py"],
        "module": [python, "-m", "train"],
        "command": [python, "-c", TEXT],
        "shebang": ["./go"],
        "shell": ["sh", "go.sh"],
    }[how]
    results = run_script(command, [7])
    said = Path(str(results.runs[0].folder), "stdout").read_text()
    assert results.scores("acc")[7] == float(expected[0])
    assert results.scores("draw")[7] == float(expected[1])
    assert str(other) in said
    assert "leaked" not in said
    assert not (project / "made_by_shell").exists()
    assert len(results.sites) == 1
