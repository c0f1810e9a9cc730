"""A seed in a configuration file. It is replaced in the file's text: `--seed-site conf.yaml:seed`."""

import re
from collections.abc import Iterable
from pathlib import Path

from seedwise_guest.protocol import names_a_seed

from ..errors import UsageError
from ..places import short_place
from ..wording import option


def edit_config(site: str, seed: int) -> tuple[str, str]:
    """The absolute path of the file, and its text with `seed` as the value of the key.

    The file may be YAML, JSON, TOML or INI. The line is found by its key (the last part of `train.seed`), followed by
    `:` or `=` and an integer. Nothing else in the text changes.

    Raises
    ------
    UsageError
        The file does not exist, or it has the key not at all or more than once.
    """
    file, _, key = site.rpartition(":")
    path = Path(file).absolute()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{option(f'--seed-site {site}')}: cannot read {file}: {error}") from None
    name = key.rpartition(".")[2]
    found = _numbers_under(name, text)
    if len(found) != 1:
        lines = [str(text.count("\n", 0, m.start("number")) + 1) for m in found]
        where = (
            f"stands {len(found)} times (lines {', '.join(lines)})" if found else "with an integer does not stand in it"
        )
        raise UsageError(f"{option(f'--seed-site {site}')}: {name!r} {where}; it must be there once")
    match = found[0]
    return str(path), text[: match.start("number")] + str(seed) + text[match.end("number") :]


def seeds_in(path: str) -> list[tuple[str, int]]:
    """Each key of a configuration file that names a seed and stands there once with an integer, with that integer."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    names = dict.fromkeys(m["name"] for m in _KEY.finditer(text) if names_a_seed(m["name"]))
    found = [(name, _numbers_under(name, text)) for name in names]
    return [(name, int(places[0]["number"])) for name, places in found if len(places) == 1]


_KEY = re.compile(r"""(?m)(?<![\w.-])["']?(?P<name>[A-Za-z_][\w-]*)["']?\s*[:=]\s*-?\d+(?![\w.])""")


def find_seeds(paths: Iterable[str]) -> list[str]:
    """`conf.yaml:seed` for the first seed in each of these files."""
    return [short_place(f"{path}:{name}") for path in paths for name, _ in seeds_in(path)[:1]]


def _numbers_under(name: str, text: str) -> list[re.Match[str]]:
    """All places with `name: 42` or `name = 42`."""
    pattern = (
        rf"""(?m)^(?P<before>[^\n#;]*?(?<![\w.-])["']?{re.escape(name)}["']?\s*[:=]\s*)(?P<number>-?\d+)(?![\w.])"""
    )
    return list(re.finditer(pattern, text))
