"""What counts as trouble with starting values: the thresholds, each with its source, and the sentences."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..stats import Agreement
from ..words import seed_list
from .result import Course, Finding, LayerReport, PathBetween, Saturates, Trouble

Array = NDArray[np.float64]

VANISHING = 1e-4
"""A layer's gradient over that of the last layer. He et al. (2015, arXiv 1502.01852, section 2.2) explain networks that stalled by
gradients of 1/(1.7·10⁴) of the right scale, and a network of 30 layers under Xavier's values, 2^(-15) = 3·10⁻⁵ by their equation 14,
stalls, while one of 22 layers, 2^(-11) = 5·10⁻⁴, learns."""
EXPLODING = 1 / VANISHING
"""The mirror image: their condition is violated as badly by growth as by decay."""
"""Both hold through time too, for the first step of a recurrent layer over the last one. Bengio, Simard & Frasconi (1994) and Pascanu, Mikolov &
Bengio (2013, arXiv 1211.5063) show why this ratio shrinks or grows; that the figures of layers serve for steps is this module's choice."""
DEAD = 0.4
"""Share of a layer's units that no example reaches. The notes of Stanford's CS231n ("Neural Networks 1", on ReLU) name 40 % as what a
rate of learning that is too high can do. (Lu et al. 2019, arXiv 1903.06733, derive how often all are born dead.)"""
SATURATED = 0.5
"""Share of a layer's outputs where the derivative of tanh or sigmoid is below 1 % of its largest. Glorot & Bengio (2010, section 3)
show what saturation does; that most outputs are in it is this module's measure of it. For gates and softmax the same share of their derivative."""
BARRIER = 0.02
"""Rise of the loss on the straight line, over what training gained. Frankle et al. (2020, arXiv 1912.05671, section 2) count two networks
as connected below 2 points of error; here it is 2 % of the way from the starting loss to the last, so that it holds for any loss."""
LITTLE = 0.1
"""Where the loss of a median seed falls by less than this share of what it was, there are no solutions yet to speak of: barriers and epochs that are
needed would be counted in a unit that is noise (this module's figure)."""
BAND, LONG, FALL = 0.01, 0.1, 0.1
"""A flat stretch: for a tenth of the epochs (three at least) the loss stays within 1 % of the whole gain, before a fall by a tenth of it. Dauphin et
al. (2014, arXiv 1406.2572) describe such plateaus around saddle points, Saxe et al. (2014, arXiv 1312.6120) solve them; the three figures are
this module's."""
ARRIVED = 0.95
"""An epoch is enough when the loss has come so much of the way of a median seed (this module's figure)."""
STUCK = 0.5
"""A seed whose loss falls by less than this share of what it falls under a median seed does not arrive (this module's figure)."""
SEEDS_SHARE = 0.5
"""Disagreement of two runs over their error: half of what is wrong hangs on the seed. Fort et al. (2019, arXiv 1912.02757) define the
measure; for values it is Krogh & Vedelsby's (1995) ambiguity over the error. The figure is this module's."""


def relative(gradients: Sequence[float]) -> Array:
    """Gradients of layers over that of the last one, shape (layers,); NaN if that is 0."""
    g = np.asarray(gradients, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(g[-1] > 0, g / g[-1], np.nan) if g.size else g


def still_identical(start: ArrayLike, end: ArrayLike) -> int:
    """How many units have an exact copy at the start that is still one at the end, but for rounding (1e-5 of their size).

    Identical units with identical gradients stay so: the symmetry that random starting values are there to break (Goodfellow,
    Bengio & Courville 2016, Deep Learning, section 8.4).

    Parameters
    ----------
    start, end
        Shape (units, weights and bias).
    """
    before, after = np.asarray(start), np.asarray(end)
    _, group = np.unique(before, axis=0, return_inverse=True)
    group = group.reshape(-1)
    count = 0
    for which in np.flatnonzero(np.bincount(group) > 1):
        rows = after[group == which]
        room = 1e-5 * max(float(np.abs(rows).max()), 1e-300)
        near = np.abs(rows[:, None] - rows[None]).max(axis=2) <= room if len(rows) <= 512 else _near_first(rows, room)
        count += int((near.sum(axis=1) > 1).sum())
    return count


def _near_first(rows: Array, room: float) -> NDArray[np.bool_]:
    """The same with less memory, for very wide layers: whether rows are that of the first unit."""
    same = np.abs(rows - rows[0]).max(axis=1) <= room
    return np.asarray(same[:, None] & same[None])


def barrier_of(losses: ArrayLike, gain: float) -> float:
    """How far the loss rises above the straight line between the losses of both ends, over `gain`.

    sup over the line of L(θ) - [(1 - α)·L(a) + α·L(b)] (Entezari et al. 2022, arXiv 2110.06296, eq. 1).
    """
    x = np.asarray(losses, dtype=np.float64)
    above = float(np.max(x - np.linspace(x[0], x[-1], x.size)))
    return above / gain if gain > 0 else 0.0 if above <= 0 else float("inf")


def flat_stretches(losses: ArrayLike) -> tuple[tuple[int, int], ...]:
    """Where training stuck for a while: (first epoch, last epoch); see `BAND`. A loss that swings is not flat."""
    x = np.asarray(losses, dtype=np.float64)
    low = np.minimum.accumulate(x[::-1])[::-1]  # the least loss from here on
    gain = float(x[0] - x.min())
    need = max(3, int(np.ceil(LONG * (x.size - 1))))
    found: list[tuple[int, int]] = []
    start = 0
    while gain > 0 and start < x.size - need:
        width = np.maximum.accumulate(x[start:]) - np.minimum.accumulate(x[start:])
        end = start + int((width <= BAND * gain).sum()) - 1
        if end - start >= need and x[end] - low[end] >= FALL * gain:
            found.append((start, end))
            start = end
        else:
            start += 1
    return tuple(found)


def learned_little(losses: Sequence[ArrayLike]) -> bool:
    """Whether the loss of a median seed falls by less than `LITTLE` of what it was; a loss that starts at 0 or below has no such share."""
    sound = [of for of in (np.asarray(of, dtype=np.float64) for of in losses) if np.isfinite(of[-1])]
    start = float(np.median([of[0] for of in sound] or [0.0]))
    return start > 0 and float(np.median([of[0] - of[-1] for of in sound])) < LITTLE * start


def epochs_needed(losses: Sequence[ArrayLike]) -> list[int | None]:
    """For each seed, the first epoch by which its loss has come 95 % of the way of a median seed.

    None if it never has, and for all seeds where they learned little.
    """
    every = [np.asarray(of, dtype=np.float64) for of in losses]
    sound = [of for of in every if np.isfinite(of[-1])]
    if not sound or learned_little(losses):
        return [None] * len(every)
    first, last = (float(np.median([of[k] for of in sound])) for k in (0, -1))
    enough = last + (1 - ARRIVED) * max(0.0, first - last)
    return [next((k for k, value in enumerate(of.tolist()) if value <= enough), None) for of in every]


def _in(seeds: Sequence[int], of: int) -> str:
    if len(seeds) == of and of > 1:
        return "under every seed"
    return f"under seed{'' if len(seeds) == 1 else 's'} {seed_list(seeds, 6)}"


def _median(values: Sequence[float]) -> float:
    return float(np.median(np.asarray(values, dtype=np.float64)))


Ratios = dict[int, dict[int, Array]]
"""Seed → epoch → gradient of each layer over that of the last."""


def gradients_found(names: Sequence[str], ratios: Ratios) -> list[Finding]:
    """Layers whose gradient vanishes or explodes: at the start, or else from the first epoch at which most seeds show it."""

    def words(k: int, value: float) -> str:
        return "no gradient reaches it" if value == 0 else f"the gradient is {value:.1g} times that of {names[-1]}"

    return _beyond(names, ratios, "in", words)


def through_time_found(names: Sequence[str], ratios: Ratios, steps: Sequence[int]) -> list[Finding]:
    """Recurrent layers whose gradient vanishes or explodes on the way back to the first step.

    `ratios` are of the first step over the last, NaN for other layers; `steps` says how many there are in each layer.
    """

    def words(k: int, value: float) -> str:
        first = f"the first of {steps[k]} steps"
        return (
            f"no gradient reaches {first}"
            if value == 0
            else f"the gradient of {first} is {value:.1g} times that of the last"
        )

    return _beyond(names, ratios, "through time in", words)


def _beyond(names: Sequence[str], ratios: Ratios, place: str, words: Callable[[int, float], str]) -> list[Finding]:
    tests: tuple[tuple[Trouble, float, Callable[[Array], int], Callable[[float], bool]], ...] = (
        (Trouble.VANISHING, VANISHING, lambda of: int(np.nanargmin(of)), lambda value: value < VANISHING),
        (Trouble.EXPLODING, EXPLODING, lambda of: int(np.nanargmax(of)), lambda value: value > EXPLODING),
    )
    found = []
    for trouble, threshold, pick, beyond in tests:
        for epoch in sorted({epoch for of in ratios.values() for epoch in of}):
            there = {s: of[epoch] for s, of in ratios.items() if epoch in of and not np.isnan(of[epoch]).all()}
            hit = [seed for seed, of in there.items() if beyond(float(of[pick(of)]))]
            if 2 * len(hit) < max(1, len(there)):
                continue
            every = np.stack([there[seed] for seed in hit])
            # a layer may have none under some seeds, or under all
            middle = np.array([np.nan if np.isnan(of).all() else np.nanmedian(of) for of in every.T])
            k = pick(middle)
            when = "at the start" if epoch == 0 else f"after epoch {epoch}"
            value = float(middle[k])
            text = (
                f"{trouble.value.capitalize()} {place} {names[k]}: {when} {words(k, value)} ({_in(hit, len(ratios))})."
            )
            found.append(Finding(trouble, names[k], tuple(hit), value, threshold, text))
            break
    return found


_FULL = {
    Saturates.UNITS: "Saturated units behind {layer}: {share} of the outputs",
    Saturates.GATES: "Saturated gates in {layer}: {share} of them",
    Saturates.ATTENTION: "Saturated attention in {layer}: {share} of its rows look at one place alone",
}


def layers_found(reports: Sequence[LayerReport], by_seed: dict[str, dict[int, LayerReport]]) -> list[Finding]:
    """Identical, dead and saturated units, layer by layer."""
    found = []
    for layer in reports:
        of = by_seed[layer.name]
        copies = {seed: r.identical for seed, r in of.items() if r.identical}
        if copies:
            value = _median(list(copies.values()))
            text = f"Identical units in {layer.name}: {value:.0f} of {layer.units} start as copies of others and stay so ({_in(list(copies), len(of))})."
            found.append(Finding(Trouble.IDENTICAL, layer.name, tuple(copies), value, 1.0, text))
        dead = {seed: r.dead for seed, r in of.items() if r.dead is not None and r.dead >= DEAD}
        if dead:
            value = _median(list(dead.values()))
            text = f"Dead units in {layer.name}: no example's gradient reaches {value * 100:.0f} % of {layer.units} at the end ({_in(list(dead), len(of))})."
            found.append(Finding(Trouble.DEAD, layer.name, tuple(dead), value, DEAD, text))
        full = {seed: r.saturated for seed, r in of.items() if r.saturated is not None and r.saturated >= SATURATED}
        if full:
            value = _median(list(full.values()))
            text = f"{_FULL[layer.what].format(layer=layer.name, share=f'{value * 100:.0f} %')} at the start ({_in(list(full), len(of))})."
            found.append(Finding(Trouble.SATURATED, layer.name, tuple(full), value, SATURATED, text))
    return found


def paths_found(paths: Sequence[PathBetween], little: bool = False) -> list[Finding]:
    """Pairs of seeds whose solutions lie in different basins, as their weights stand; none where they learned `little`."""
    if little:
        return []
    high = [path for path in paths if path.barrier > BARRIER or np.isnan(path.barrier)]
    if not high:
        return []
    seeds = tuple(sorted({seed for path in high for seed in path.seeds}))
    value = _median([path.barrier for path in high])
    text = (
        f"Different basins: on the straight line between solutions the loss rises by {value * 100:.0f} % of what training gained "
        f"({len(high)} of {len(paths)} pairs of seeds)."
    )
    where = ", ".join(f"{a} and {b}" for a, b in (path.seeds for path in high))
    return [Finding(Trouble.BASINS, where, seeds, value, BARRIER, text)]


def courses_found(courses: Sequence[Course], little: bool = False) -> list[Finding]:
    """Seeds that diverge, that are stuck for a while, or that never arrive; none does where they learned `little`."""
    found = []
    broken = [c.seed for c in courses if c.diverged]
    if broken:
        epochs = _median([len(c.losses) - 1 for c in courses if c.diverged])
        text = f"Diverged: the loss became NaN or infinite by epoch {epochs:.0f} ({_in(broken, len(courses))})."
        found.append(Finding(Trouble.DIVERGED, "", tuple(broken), epochs, 0.0, text))
    flat = [c for c in courses if c.flat]
    if flat:
        long = [max(c.flat, key=lambda ab: ab[1] - ab[0]) for c in flat]
        first, last = (_median([ab[k] for ab in long]) for k in (0, 1))
        text = f"Flat stretches: training sticks from epoch {first:.0f} to {last:.0f} and then goes on ({_in([c.seed for c in flat], len(courses))})."
        seeds = tuple(c.seed for c in flat)
        found.append(Finding(Trouble.FLAT, "", seeds, last - first, max(3, LONG * (len(courses[0].losses) - 1)), text))
    gains = {c.seed: c.losses[0] - min(c.losses) for c in courses if not c.diverged}
    middle = _median(list(gains.values())) if gains else 0.0
    late = [] if little else [seed for seed, gain in gains.items() if gain < STUCK * middle]
    if late:
        value = _median([gains[seed] / middle for seed in late])
        text = f"Some seeds do not arrive: their loss falls by {value * 100:.0f} % of what it falls under a median seed ({_in(late, len(courses))})."
        found.append(Finding(Trouble.STUCK, "", tuple(late), value, STUCK, text))
    return found


def disagreement_found(seeds: Sequence[int], agreement: Agreement | None, labels: bool, data: str) -> list[Finding]:
    """Whether the predictions of two seeds differ on so many examples that much of the error is the seed's."""
    if agreement is None or agreement.share is None or agreement.share < SEEDS_SHARE:
        return []
    if labels:
        text = (
            f"Predictions hang on the seed: two seeds differ on {agreement.disagreement * 100:.1f} % of the {data} examples, beside an error of "
            f"{agreement.error * 100:.1f} %; {len(agreement.examples)} examples flip."
        )
    else:
        text = f"Predictions hang on the seed: their variance between seeds is {agreement.share * 100:.0f} % of the squared error on {data} examples."
    return [Finding(Trouble.DISAGREEMENT, "", tuple(seeds), agreement.share, SEEDS_SHARE, text)]
