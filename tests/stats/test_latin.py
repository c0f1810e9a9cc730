"""Fractions and repeats: the components are those that the scores were made from."""

import numpy as np
import pytest

from seedwise import stats

SOURCES = ("init", "order", "dropout")


def drawn(rng: np.random.Generator, cells: list[tuple[int, ...]], n: int, sds: tuple[float, ...]) -> np.ndarray:
    effects = [rng.normal(0, sd, n) for sd in sds]
    pair = rng.normal(0, 0.5, (n, n))
    return np.array([sum(e[c] for e, c in zip(effects, cell, strict=True)) + pair[cell[0], cell[1]] for cell in cells])


def test_every_pair_of_seeds_meets_once_in_a_fraction() -> None:
    for n, k in ((3, 3), (8, 3), (5, 4), (7, 5)):
        cells = stats.latin_cells(n, k)
        for a in range(k):
            for b in range(a):
                assert len({(cell[a], cell[b]) for cell in cells}) == n * n


@pytest.mark.parametrize(("n", "k", "told"), [(8, 4, "prime"), (2, 3, "3 seeds or more"), (5, 2, "three sources")])
def test_a_fraction_that_does_not_exist_is_refused(n: int, k: int, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        stats.latin_cells(n, k)


def test_a_fraction_recovers_known_components_on_the_average() -> None:
    rng = np.random.default_rng(1)
    n, sds, noise = 8, (1.0, 2.0, 0.0), 0.3
    cells = stats.latin_cells(n, 3)
    found = []
    for _ in range(600):
        values = drawn(rng, cells, n, sds)
        once = values + rng.normal(0, noise, n * n)
        again = np.stack([once[:n], values[:n] + rng.normal(0, noise, n)], axis=1)
        parts = stats.latin_components(once, cells, SOURCES, repeats=again)
        found.append([parts[name].variance for name in (*SOURCES, "interactions", "rest")])
    means, errors = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(600)
    assert np.all(np.abs(means - [1.0, 4.0, 0.0, 0.25, 0.09]) < 4 * errors)


def test_a_fraction_under_each_number_of_threads_recovers_known_components_on_the_average() -> None:
    rng = np.random.default_rng(4)
    n, m, noise = 5, 3, 0.3
    cells = stats.latin_cells(n, 3)
    rows = np.array(cells)
    names = (
        *SOURCES,
        "threads",
        "interactions",
        *(f"{s} × threads" for s in SOURCES),
        "interactions × threads",
        "rest",
    )
    truth = [1.0, 4.0, 0.0, 2.25, 0.25, 0.0, 1.0, 0.0, 0.16, 0.09]
    found = []
    for _ in range(600):
        sums = sum(rng.normal(0, sd, n)[rows[:, k]] for k, sd in enumerate((1.0, 2.0, 0.0)))
        sums = sums + rng.normal(0, 0.5, (n, n))[rows[:, 0], rows[:, 1]]
        true = sums[:, None] + rng.normal(0, 1.5, m) + rng.normal(0, 1.0, (n, m))[rows[:, 1]]
        true = true + rng.normal(0, 0.4, (n, n, m))[rows[:, 0], rows[:, 2]]
        once = true + rng.normal(0, noise, true.shape)
        again = np.stack([once[:n].ravel(), true[:n].ravel() + rng.normal(0, noise, n * m)], axis=1)
        parts = stats.latin_components(once, cells, SOURCES, crossed_with="threads", repeats=again)
        found.append([parts[name].variance for name in names])
    assert tuple(part.name for part in parts.parts) == names
    assert (parts.shape, parts.runs) == ((5, 5, 5, 3), 90)
    means, errors = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(600)
    assert np.all(np.abs(means - truth) < 4 * errors)


def test_a_square_with_one_column_is_the_square_and_the_parts_add_up_with_and_without_repeats() -> None:
    rng = np.random.default_rng(5)
    cells = stats.latin_cells(5, 3)
    values = rng.normal(size=25)
    twice = np.stack([values, values], axis=1)
    alone = stats.latin_components(values, cells, SOURCES)
    crossed = stats.latin_components(twice, cells, SOURCES, crossed_with="threads")
    for name in SOURCES:
        assert crossed[name].variance == pytest.approx(alone[name].variance)
    assert crossed["interactions"].variance == pytest.approx(alone["rest"].variance)
    assert crossed.total == pytest.approx(alone.total) == pytest.approx(sum(p.variance for p in alone.parts))
    again = rng.normal(size=(4, 2))
    assert stats.latin_components(values, cells, SOURCES, repeats=again).total == pytest.approx(alone.total)
    with pytest.raises(ValueError, match="one value for each of 25 cells"):
        stats.latin_components(values, cells, SOURCES, crossed_with="threads")


def test_repeats_of_some_cells_tell_the_highest_interaction_from_what_is_left() -> None:
    rng = np.random.default_rng(2)
    n, found = 6, []
    for _ in range(600):
        true = rng.normal(0, 1, (n, 1)) + rng.normal(0, 2, (1, n)) + rng.normal(0, 0.5, (n, n))
        once = true + rng.normal(0, 0.3, (n, n))
        again = np.stack([once[:, 0], true[:, 0] + rng.normal(0, 0.3, n)], axis=1)
        parts = stats.crossed_components(once, SOURCES[:2], repeats=again)
        found.append([part.variance for part in parts.parts])
        assert parts.runs == n * n + n
        assert parts.rest_apart
    means, errors = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(600)
    assert np.all(np.abs(means - [1.0, 4.0, 0.25, 0.09]) < 4 * errors)


@pytest.mark.slow
def test_intervals_of_a_fraction_cover_nearly_as_stated() -> None:
    rng = np.random.default_rng(3)
    n = 8
    cells = stats.latin_cells(n, 3)
    inside = np.zeros(2)
    for _ in range(1500):
        values = drawn(rng, cells, n, (1.0, 2.0, 0.0)) + rng.normal(0, 0.3, n * n)
        parts = stats.latin_components(values, cells, SOURCES)
        for k, (name, true) in enumerate((("init", 1.0), ("order", 4.0))):
            low, high = parts[name].interval
            inside[k] += low <= true <= high
    assert np.all(inside / 1500 > 0.92)


def test_runs_for_a_margin_are_those_of_the_t_interval_where_nothing_is_held() -> None:
    assert stats.runs_for_margin(4.0, 0.0, 0.5) == stats.seeds_for_margin(2.0, 0.5)
    assert stats.runs_for_margin(4.0, 1.0, 1.9) is None
    held = stats.runs_for_margin(4.0, 1.0, 2.1)
    assert held is not None
    assert stats.margin_with_held(4.0, 1.0, held) <= 2.1 < stats.margin_with_held(4.0, 1.0, held - 1)


def test_varying_more_sources_at_once_needs_fewer_runs() -> None:
    import seedwise as sw

    found = sw.plan_sources({"init": 1.0, "order": 4.0, "init × order": 0.25, "rest": 0.1}, 0.5)
    assert found.choices[0].sources == ("init", "order")
    assert found.choices[0].runs == stats.seeds_for_margin(np.sqrt(5.35), 0.5)
    assert [c.runs for c in found.choices[1:]] == [None, None]
    alone = {c.sources: c.remaining for c in found.choices}
    assert alone["init",] == pytest.approx(1.96 * 2.0, rel=1e-3)
    assert alone["order",] == pytest.approx(1.96, rel=1e-3)
    assert "no number of runs does: ± 2.0 stays" in found.sentence
    with pytest.raises(sw.UsageError, match="no spread"):
        sw.plan_sources({"init": -1.0, "rest": 0.0}, 0.5)
