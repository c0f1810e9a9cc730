"""The page as one HTML file: text escaped, data once, scripts named by their digests."""

import base64
import hashlib
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import UsageError
from ...words import printable
from ..formats import plain
from ..page import Line
from ..pictures.altairs import MISSING
from ..pictures.dots import DotsInfo
from ..pictures.kinds import STEPS_ON, VALUES_ON, Columns, Kind
from ..pictures.looks import Style
from .content import Page

if TYPE_CHECKING:
    import jinja2

_HERE = Path(__file__).parent
ON_PAGE = Style(
    width=720,
    font=12,
    text="currentColor",
    grid="rgba(128,128,128,0.25)",
    faces="system-ui, sans-serif",
    background=None,
)
_SNIPPET = "window.vegaEmbed = vegaEmbed;"


def render(page: Page) -> str:
    """The page as HTML. Raises UsageError where the extra `seedwise[report]` is not installed."""
    return laid_out(page, as_json(data_of(page)))


def laid_out(page: Page, data: str) -> str:
    """The page as HTML, with its data, which `as_json` wrote. Raises what `render` raises."""
    environment = templates()
    runtime, own = vega_runtime(), own_script("page.js")
    live = own_script("live.js") if page.live else ""
    shown = {Kind(figure.id) for figure in (*page.figures, *page.later)}
    text: str = environment.get_template("page.html.jinja").render(
        page=page,
        has_values=not shown.isdisjoint(VALUES_ON),
        has_steps=not shown.isdisjoint(STEPS_ON),
        style=own_script("page.css"),
        runtime=runtime,
        script=own,
        live=live,
        policy=policy(page.live),
        data=data,
    )
    return text


def policy(live: bool = False) -> str:
    """The content security policy: these scripts, by their digests, and nothing else; a live page also asks its own server."""
    scripts = [vega_runtime(), own_script("page.js"), *([own_script("live.js")] if live else [])]
    allowed = " ".join(f"'{digest(script)}'" for script in scripts)
    connect = " connect-src 'self';" if live else ""
    return (
        f"default-src 'none'; script-src {allowed};{connect} style-src 'unsafe-inline'; img-src data: blob:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def own_script(name: str) -> str:
    """A file of ours that stands in the page."""
    return (_HERE / name).read_text(encoding="utf-8")


def templates() -> "jinja2.Environment":
    """The templates, which escape everything. Raises UsageError where Jinja2 is not installed."""
    try:
        import jinja2  # noqa: F401 (whether it is there)
    except ModuleNotFoundError as error:
        raise UsageError(MISSING.format(error.name)) from None
    return _templates()


@cache
def _templates() -> "jinja2.Environment":
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printable"] = lambda text: "\n".join(printable(line) for line in str(text).split("\n"))
    environment.tests["line"] = lambda block: isinstance(block, Line)
    return environment


def pieces_of(page: Page) -> dict[str, str]:
    """The parts of the page that a live one replaces, by the names of their places."""
    made: Any = templates().get_template("pieces.html.jinja").module
    found = {"header": made.header(page), "numbers": made.numbers(page)}
    for k, part in enumerate(page.parts):
        found |= {f"told-{k}": made.told(part), f"origin-{k}": made.origin(part)}
    return {name: str(text) for name, text in found.items()}


def digest(script: str) -> str:
    """The digest by which a content security policy allows a script."""
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def as_json(value: Any) -> str:
    """JSON that can stand inside a script element: no `<`, so that nothing in it ends the element or begins a comment."""
    text = dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def data_of(page: Page) -> dict[str, Any]:
    """Everything that the script needs: specifications, tables as columns, captions."""
    figures: dict[str, Any] = {}
    for figure in (*page.figures, *page.later):
        shown = {}
        for metric, picture in figure.pictures.items():
            drawn = replace(picture, style=ON_PAGE)
            shown[printable(metric)] = {
                "caption": drawn.caption,
                "spec": enlarged(drawn.bare_spec()),
                "data": {name: compact(columns) for name, columns in drawn.data.items()},
            }
        figures[figure.id] = {
            "title": printable(figure.title),
            "values": VALUES_ON.get(Kind(figure.id)),
            "steps": STEPS_ON.get(Kind(figure.id)),
            "shown": shown,
            "missing": {printable(name): printable(why) for name, why in figure.missing.items()},
        }
    parts = [
        {
            "name": printable(part.name),
            "runs": compact(part.runs),
            "again": printable(part.again),
            "folder": printable(part.folder),
            "labels": labels_of(page, k),
        }
        for k, part in enumerate(page.parts)
    ]
    return {
        "metrics": [printable(name) for name in page.metrics],
        "figures": figures,
        "parts": parts,
        "config": ON_PAGE.config(),
    }


_TALLER, _LARGER = 1.7, 2.2


def enlarged(spec: Any) -> Any:
    """A specification for a page, where there is more room than in a column of a paper."""
    if isinstance(spec, list):
        return [enlarged(of) for of in spec]
    if not isinstance(spec, dict):
        return spec
    found = {key: enlarged(of) for key, of in spec.items()}
    if isinstance(found.get("height"), int | float):
        found["height"] = found["height"] * _TALLER
    for place in (found.get("mark"), (found.get("encoding") or {}).get("size")):
        _enlarge(place)
    return found


def _enlarge(place: object) -> None:
    """Points of a mark, or of an encoding that has a size for the chosen seed and one for the others."""
    if not isinstance(place, dict):
        return
    for key in ("size", "value"):
        if isinstance(place.get(key), int | float):
            place[key] *= _LARGER
    _enlarge(place.get("condition"))


def labels_of(page: Page, k: int) -> dict[str, str]:
    """How the dots of one experiment are called in each metric."""
    found: dict[str, str] = {}
    for figure in page.figures:
        for metric, picture in figure.pictures.items():
            if isinstance(picture.info, DotsInfo):
                mine = [g for g in picture.info.groups if g.name in ("", page.parts[k].name)]
                found |= {printable(metric): printable(g.label) for g in mine}
    return found


def compact(columns: Columns) -> dict[str, object]:
    """Columns with what repeats said once: `{"all": value, "n": n}`, and `{"from": 1, "n": n}` for 1, 2, 3 …"""
    return {name: _compact(values) for name, values in columns.items()}


def _compact(values: Sequence[object]) -> object:
    n = len(values)
    if n < 4:
        return list(values)
    first = values[0]
    if all(v == first and type(v) is type(first) for v in values):
        return {"all": first, "n": n}
    if type(first) is int and all(type(v) is int and v == first + k for k, v in enumerate(values)):
        return {"from": first, "n": n}
    return list(values)


def expanded(column: Any) -> list[object]:
    """The values of a column that `compact` wrote."""
    if isinstance(column, dict):
        return (
            [column["all"]] * column["n"]
            if "all" in column
            else list(range(column["from"], column["from"] + column["n"]))
        )
    return list(column)


def vega_runtime() -> str:
    """Vega, Vega-Lite and vega-embed as one script. Making it takes a second, so it is kept in the user's cache."""
    try:
        import vl_convert
    except ModuleNotFoundError:
        raise UsageError(MISSING.format("vl-convert-python")) from None
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    kept = Path(base, "seedwise", f"vega-{version('vl-convert-python')}.js")
    with suppress(OSError, UnicodeDecodeError):
        text, _, said = kept.read_text(encoding="utf-8").rpartition("\n//")
        if text and said == hashlib.sha256(text.encode()).hexdigest():
            return text
    made: str = vl_convert.javascript_bundle(_SNIPPET).replace("</script", "<\\/script").replace("<!--", "<\\!--")
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
            draft = Path(folder, kept.name)
            draft.write_text(f"{made}\n//{hashlib.sha256(made.encode()).hexdigest()}", encoding="utf-8")
            os.replace(draft, kept)
    return made
