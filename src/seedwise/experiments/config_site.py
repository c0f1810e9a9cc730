"""A seed in a configuration file, placed by editing its text: `--seed-site conf.yaml:seed`."""

import re
from collections.abc import Iterable
from pathlib import Path

from ..errors import UsageError
from ..places import short_place


def edit_config(site: str, seed: int) -> tuple[str, str]:
    """The absolute path of the file and its text with `seed` under the key.

    The file may be YAML, JSON, TOML or INI: the line is found by its key (the last part of `train.seed`) followed by `:`
    or `=` and an integer; nothing else in the file changes.

    Raises
    ------
    UsageError
        When the file is not there, or the key is not there once.
    """
    file, _, key = site.rpartition(":")
    path = Path(file).absolute()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--seed-site {site}: cannot read {file}: {error}") from None
    name = key.rpartition(".")[2]
    found = _numbers_under(name, text)
    if len(found) != 1:
        lines = [str(text.count("\n", 0, m.start("number")) + 1) for m in found]
        where = (
            f"stands {len(found)} times (lines {', '.join(lines)})" if found else "with an integer does not stand in it"
        )
        raise UsageError(f"--seed-site {site}: {name!r} {where}; it must be there once")
    match = found[0]
    return str(path), text[: match.start("number")] + str(seed) + text[match.end("number") :]


def find_seeds(paths: Iterable[str]) -> list[str]:
    """`conf.yaml:seed` for each of these files in which one number stands under a seed's name."""
    found = []
    for path in paths:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        names = [name for name in _NAMES if len(_numbers_under(name, text)) == 1]
        found += [short_place(f"{path}:{name}") for name in names[:1]]
    return found


_NAMES = ("seed", "random_seed", "random_state", "SEED", "manual_seed")


def _numbers_under(name: str, text: str) -> list[re.Match[str]]:
    """Where `name: 42` or `name = 42` stands."""
    pattern = (
        rf"""(?m)^(?P<before>[^\n#;]*?(?<![\w.-])["']?{re.escape(name)}["']?\s*[:=]\s*)(?P<number>-?\d+)(?![\w.])"""
    )
    return list(re.finditer(pattern, text))
