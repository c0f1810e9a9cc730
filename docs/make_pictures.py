"""Draw docs/people.svg from the runs of `seedwise demo people` in the current folder.

pip install altair vl-convert-python
seedwise demo people && python docs/make_pictures.py seedwise-demo-people docs/people.svg
"""

import sys
from pathlib import Path

import altair as alt

import seedwise as sw


def main(folder: str, target: str) -> None:
    """One dot a seed, stacked; the mean with its interval; the article's six seeds marked."""
    scores = sw.load("people", store=str(Path(folder) / ".seedwise")).scores("acc")
    thirty = {seed: value for seed, value in scores.by_seed.items() if 1 <= seed <= 30}
    summary = sw.summarize(sw.Scores("acc", thirty, sw.Goal.MAX))
    heights: dict[float, int] = {}
    rows = []
    for seed, value in thirty.items():
        heights[value] = heights.get(value, 0) + 1
        rows.append({"acc": value, "height": heights[value], "seed": seed})
    assert summary.interval is not None
    low, high = summary.interval
    band = alt.Chart(alt.Data(values=[{"low": low, "high": high}])).mark_rect(opacity=0.25, color="#4c78a8")
    band = band.encode(x=alt.X("low:Q"), x2="high:Q")
    mean = alt.Chart(alt.Data(values=[{"mean": summary.mean}])).mark_rule(color="#4c78a8", size=2).encode(x="mean:Q")
    scale = alt.Scale(zero=False, domain=[min(thirty.values()) - 0.004, max(thirty.values()) + 0.004])
    dots = alt.Chart(alt.Data(values=rows)).mark_circle(size=110, opacity=0.9, color="#333")
    dots = dots.encode(
        x=alt.X("acc:Q", scale=scale, title="accuracy on the training rows, one dot for each of 30 seeds"),
        y=alt.Y("height:Q", axis=None, scale=alt.Scale(domain=[0, max(heights.values()) + 1])),
    )
    title = (
        f"The same network, the same data, another seed: {summary.mean:.4f} ± {(high - low) / 2:.4f} (95 % t interval)"
    )
    chart = alt.layer(band, mean, dots).properties(width=640, height=170, title=title)
    chart.configure_view(stroke=None).save(target)


if __name__ == "__main__":
    main(*sys.argv[1:3])
