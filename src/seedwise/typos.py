"""What somebody meant who typed something else."""

from collections.abc import Iterable


def closest(word: str, known: Iterable[str]) -> str:
    """The known word that is most like this one; "" if none is much like it.

    Upper and lower case count little, and the dashes before options count nothing: they are alike in all.
    """
    import difflib

    by_lower: dict[str, str] = {}
    for name in known:
        by_lower.setdefault(name.lower().lstrip("-"), name)
    found = difflib.get_close_matches(word.lower().lstrip("-"), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else ""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a message about a word that does not exist: `: did you mean train?`; "" if nothing is like it."""
    found = closest(word, known)
    return f": did you mean {found}?" if found else ""


def one_of(words: Iterable[str]) -> str:
    """Words in a row: `last, best or mean`."""
    every = [str(word) for word in words]
    return " or ".join([", ".join(every[:-1]), every[-1]] if len(every) > 1 else every)
