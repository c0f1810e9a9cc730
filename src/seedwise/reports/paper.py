"""What tables for papers share: a mean with its ±, and the note that says what ± is."""

from ..words import number


def mean_on_paper(mean: float, interval: tuple[float, float] | None, places: int) -> str:
    """`0.81 ± 0.02`; where the interval is not symmetric about the mean, `0.81 (0.78 … 0.82)`."""
    if interval is None:
        return number(mean, places)
    low, high = interval
    half = (high - low) / 2
    if abs((low + high) / 2 - mean) > 1e-6 * half:
        return f"{number(mean, places)} ({number(low, places)} … {number(high, places)})"
    return f"{number(mean, places)} ± {number(half, places)}"


def note_on_paper(level: float, method: str) -> str:
    """What ± and an interval in brackets are."""
    return (
        f"± (or the range in brackets) is the {level * 100:g} % {method} of the mean over seeds; SD is between seeds."
    )
