"""Reference scores of tasks: which score becomes 0 and which becomes 1, so that tasks can be averaged."""

import math
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches

from ..errors import UsageError
from ..wording import file_option
from .opening import open_table
from .sheet import Sheet

Reference = Mapping[str, tuple[float, float]]
"""Task → the score that becomes 0, and the score that becomes 1."""

ATARI = "atari"

_ZERO = ("random", "zero", "low", "min", "worst", "baseline")
_ONE = ("human", "one", "high", "max", "best", "expert", "reference")


def read_reference(given: str, zero: str | None = None, one: str | None = None, task: str | None = None) -> Reference:
    """Reference scores by name, `atari`, or from a table with a row for each task.

    Parameters
    ----------
    given
        `atari`, or the path of a table: one column of words (the task), and two columns of numbers.
    zero, one
        The columns of the scores that become 0 and 1. By default those with a name such as `random` and `human`.
    task
        What the column of tasks may be called. By default it is the only column of words.

    Raises
    ------
    UsageError
        It is neither, a task stands twice, or both scores of a task are equal.
    """
    if given.lower() == ATARI and not os.path.isfile(given):
        if zero is not None or one is not None:
            raise UsageError(
                f"{file_option('--zero')} and {file_option('--one')} would be ignored: the scores of Atari have no columns"
            )
        return ATARI_SCORES
    sheet = open_table(given)
    if not isinstance(sheet, Sheet):
        raise UsageError(f"{given} has no columns: reference scores are a table with a row for each task")
    words = [k for k, column in enumerate(sheet.columns) if not column.numeric and not column.mixed]
    called = [k for k, name in enumerate(sheet.names) if task is not None and name.lower() == task.lower()]
    words = called or words
    if len(words) != 1:
        raise UsageError(
            f"{given}: one column holds the names of the tasks; there are {len(words)} columns of words in {', '.join(sheet.names)}: call it "
            f"{task or 'task'}, as the table of scores does"
        )
    a, b = _column(sheet, "--zero", zero, _ZERO), _column(sheet, "--one", one, _ONE)
    low, high = sheet.numbers(a), sheet.numbers(b)
    codes, texts = sheet.words(words[0])
    found: dict[str, tuple[float, float]] = {}
    for row, code in enumerate(codes.tolist()):
        task, ends = texts[code], (float(low.values[row]), float(high.values[row]))
        if task in found:
            raise UsageError(f"{sheet.place(row)}: {task} stands twice")
        if not all(map(math.isfinite, ends)) or ends[0] == ends[1]:
            raise UsageError(
                f"{sheet.place(row)}: {task} goes from {ends[0]:g} to {ends[1]:g}; reference scores are two different numbers"
            )
        found[task] = ends
    return found


def _column(sheet: Sheet, typed: str, name: str | None, usual: tuple[str, ...]) -> int:
    if name is not None:
        return sheet.index(name, typed)
    lower = [known.lower() for known in sheet.names]
    found = [k for k, known in enumerate(lower) if set(re.split(r"[^a-z]+", known)) & set(usual)]
    if len(found) != 1:
        what = "0" if typed == "--zero" else "1"
        raise UsageError(
            f"{sheet.path}: which column holds the score that becomes {what}? {file_option(typed)} one of {', '.join(sheet.names)}"
        )
    return found[0]


def ends_of(reference: Reference, task: str) -> tuple[float, float]:
    """The two reference scores of a task. Names are the same if their letters and digits are.

    `ALE/SpaceInvaders-v5` and `SpaceInvadersNoFrameskip-v4` are `space_invaders` too, as Gymnasium writes it.

    Raises
    ------
    UsageError
        There are none, or several.
    """
    if task in reference:
        return reference[task]
    named: dict[str, list[str]] = {}
    for known in reference:
        named.setdefault(_letters(known), []).append(known)
    found = named.get(_letters(task)) or named.get(_letters(_PLAIN.sub("", task))) or []
    if len(found) == 1:
        return reference[found[0]]
    if found:
        raise UsageError(f"reference scores: {' and '.join(found)} are both like {task}")
    near = get_close_matches(_letters(task), named, 1)
    hint = f"; did you mean {named[near[0]][0]}?" if near else ""
    raise UsageError(f"there are no reference scores for {task}{hint}")


_PLAIN = re.compile(r"^ALE/|(NoFrameskip|Deterministic)?-v\d+$")


def _letters(name: str) -> str:
    return "".join(c for c in name.lower() if c.isalnum())


ATARI_SCORES: Reference = {
    "alien": (227.8, 7127.7),
    "amidar": (5.8, 1719.5),
    "assault": (222.4, 742.0),
    "asterix": (210.0, 8503.3),
    "asteroids": (719.1, 47388.7),
    "atlantis": (12850.0, 29028.1),
    "bank_heist": (14.2, 753.1),
    "battle_zone": (2360.0, 37187.5),
    "beam_rider": (363.9, 16926.5),
    "berzerk": (123.7, 2630.4),
    "bowling": (23.1, 160.7),
    "boxing": (0.1, 12.1),
    "breakout": (1.7, 30.5),
    "centipede": (2090.9, 12017.0),
    "chopper_command": (811.0, 7387.8),
    "crazy_climber": (10780.5, 35829.4),
    "defender": (2874.5, 18688.9),
    "demon_attack": (152.1, 1971.0),
    "double_dunk": (-18.6, -16.4),
    "enduro": (0.0, 860.5),
    "fishing_derby": (-91.7, -38.7),
    "freeway": (0.0, 29.6),
    "frostbite": (65.2, 4334.7),
    "gopher": (257.6, 2412.5),
    "gravitar": (173.0, 3351.4),
    "hero": (1027.0, 30826.4),
    "ice_hockey": (-11.2, 0.9),
    "jamesbond": (29.0, 302.8),
    "kangaroo": (52.0, 3035.0),
    "krull": (1598.0, 2665.5),
    "kung_fu_master": (258.5, 22736.3),
    "montezuma_revenge": (0.0, 4753.3),
    "ms_pacman": (307.3, 6951.6),
    "name_this_game": (2292.3, 8049.0),
    "phoenix": (761.4, 7242.6),
    "pitfall": (-229.4, 6463.7),
    "pong": (-20.7, 14.6),
    "private_eye": (24.9, 69571.3),
    "qbert": (163.9, 13455.0),
    "riverraid": (1338.5, 17118.0),
    "road_runner": (11.5, 7845.0),
    "robotank": (2.2, 11.9),
    "seaquest": (68.4, 42054.7),
    "skiing": (-17098.1, -4336.9),
    "solaris": (1236.3, 12326.7),
    "space_invaders": (148.0, 1668.7),
    "star_gunner": (664.0, 10250.0),
    "surround": (-10.0, 6.5),
    "tennis": (-23.8, -8.3),
    "time_pilot": (3568.0, 5229.2),
    "tutankham": (11.4, 167.6),
    "up_n_down": (533.4, 11693.2),
    "venture": (0.0, 1187.5),
    "video_pinball": (16256.9, 17667.9),
    "wizard_of_wor": (563.5, 4756.5),
    "yars_revenge": (3092.9, 54576.9),
    "zaxxon": (32.5, 9173.3),
}
"""Scores of a random agent and of a professional human tester in 57 Atari games, from episodes that start with up to 30 no-ops
(Wang et al. 2016, arXiv 1511.06581; as DeepMind's DQN Zoo lists them)."""
