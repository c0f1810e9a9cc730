"""Reading metrics from what a script prints.

The rules, which docs/metrics.md states for users:

1. Colour codes are dropped; `\\r` ends a line as `\\n` does, so a progress bar counts as its states.
2. A line that is a JSON object gives its numbers, nested names joined by `/`.
3. A name and a number with `=` or `:` between them: `acc = 0.79`, `val loss: 1e-3`, `'f1': 0.8`, `val_acc=93.1%`. The
   name is the words before the sign, up to four, joined by `_`, lower case; a longer phrase is cut to its metric word
   with train, val or test (`Accuracy of the network on the test images: 93 %` → `test_accuracy`).
4. A known metric word, or `seed`, straight before a number: `loss 0.31`, `accuracy is 0.9`.
5. Rows of a table: `| acc | 0.93 |`, `accuracy     0.93`; a header of names with rows of as many numbers below it.
6. A heading train, val or test goes before the names to its right: `train: loss 0.1 | val: loss 0.2` → `val_loss` 0.2.
7. A line with nothing but a number is a repeat of the metric `value`.
"""

import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from .goals import METRIC_WORDS

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_DIGITS = r"(?:[1-9]\d{0,2}(?:,\d{3})+(?![\d,])|\d+)"
_NUMBER = rf"[-+]?(?:{_DIGITS}(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)"
_AFTER = r"(?![A-Za-z0-9_:/]|[.,-]\d)"
_WRAPPED = r"(?:(?:tensor|array|Array|float|(?:np|numpy|jnp|torch)\.\w+)\(\s*)?[\"']?"
_VALUE = rf"{_WRAPPED}(?:\[\s*(?P<l>{_NUMBER})\s*\]|\d+\s?/\s?\d+\s*\((?P<q>{_NUMBER})\s?%\)|(?P<n>{_NUMBER})(?P<p>\s?%)?{_AFTER})"

_PAIR = re.compile(rf"(?:=>|->|:=|==|=|:|≈|~)\s*{_VALUE}", re.IGNORECASE)
_WORDS = "|".join(sorted((re.escape(w) for w in {*METRIC_WORDS, "seed"}), key=len, reverse=True))
_SPLITS = r"(?:train|training|val|valid|validation|test|dev|eval|best|final|mean|average|avg|total)"
_KNOWN = re.compile(
    rf"(?<![\w/.-])(?P<name>(?:{_SPLITS}[\s_-]+)*(?:\w+_)?(?:{_WORDS})(?:@\d+)?)\s+(?:is|was|of|at|now)?\s*{_VALUE}",
    re.IGNORECASE,
)
_CELLS = re.compile(rf"[|│┃║]\s*(?P<name>[A-Za-z][\w /.@^-]*?)\s*[|│┃║]\s*{_VALUE}\s*(?=[|│┃║])", re.IGNORECASE)
_ROW = re.compile(
    rf"^\s*(?P<name>[A-Za-z][\w/.@^-]*(?: [\w/.@^-]+){{0,3}})(?:\s{{2,}}|\t\s*){_VALUE}\s*$", re.IGNORECASE
)
_BARE = re.compile(rf"^\s*(?P<n>{_NUMBER})\s?%?\s*$", re.IGNORECASE)
_CLAUSE = re.compile(r"[|│┃║,;\t{}\[\]=:>•*#]|\s[-–—]+\s|\s{2,}|(?<=[.!?])\s")
_NAME = re.compile(r"[A-Za-zµ_][\w/.@^%²-]*(?:\s*\([\w\s/.@^%-]*\))?\Z|[A-Za-zµ_][\w/.@^%²() -]*\Z")
_HEADING = re.compile(
    r"(?:^|(?<=[|│;,\[({\s]))['\"]?(?P<part>train(?:ing)?|val(?:id(?:ation)?)?|test(?:ing)?|dev|eval(?:uation)?)['\"]?"
    r"(?:\s+(?:set|results?|metrics?|phase))?\s*(?:[:\]|>)]|\s-\s)(?!\s*[-+]?[\d.])",
    re.IGNORECASE,
)
_PARTS = {"training": "train", "valid": "val", "validation": "val", "testing": "test", "evaluation": "eval"}
_ARTICLES = frozenset("the a an and with on in for of at is was my our mean: its".split())
_MOST_NAMES = 5000


_TOKENS = METRIC_WORDS | {"seed"}


@dataclass
class Printed:
    """Every name with its numbers in order; `steps` where a line said them. `seeds` are (position, seed) marks."""

    values: dict[str, list[float]] = field(default_factory=dict)
    records: list[dict[str, float]] = field(default_factory=list)
    """Line by line: the pairs of one line."""

    overall: list[bool] = field(default_factory=list)
    """For each record whether its line speaks of all seeds: `Average over seeds: …`."""

    def add(self, pairs: dict[str, float], overall: bool = False) -> None:
        """Take the pairs of one line."""
        for name, value in pairs.items():
            if name in self.values or len(self.values) < _MOST_NAMES:
                self.values.setdefault(name, []).append(value)
        if pairs:
            self.records.append(pairs)
            self.overall.append(overall)


def lines_of(text: str) -> Iterator[str]:
    """The lines a person would have seen, without colour codes; each state of a progress bar is one."""
    for line in re.split(r"[\r\n]+", text):
        clean = _ESCAPES.sub("", line).replace("\b", "").rstrip()
        if clean:
            yield clean


def normalise(name: str) -> str:
    """The form in which a printed name is kept: words joined by `_`, lower case, articles dropped."""
    name = (
        re.sub(r"(?i)\s*\b(?:(?:at|after|in|on)\s+)?(?:epoch|step|iter(?:ation)?|batch|round)\s*#?\d+\b", "", name)
        or name
    )
    name = re.sub(r"^(?:DEBUG|INFO|WARNING|ERROR|CRITICAL)\s+(?=\S)", "", name)
    name = re.sub(
        r"(?i)^(?:epoch|step|iter(?:ation)?|batch|fold|round|ep|episode|gen(?:eration)?)\s*#?\d+\S*\s+(?=\S)",
        "",
        name,
    )
    name = re.sub(r"\s*\(\s*%?\s*\)", "", name.strip().strip("\"'`"))
    name = re.sub(r"\s*\(([^)]*)\)", r" \1", name).strip("()-–—_.<> ")
    parts = [part for part in re.split(r"[\s]+", name) if part]
    kept = [part for part in parts if part.lower() not in _ARTICLES] or parts
    if len(kept) > 4:
        lowered = [part.lower().strip(".,") for part in kept]
        metric = [word for word in lowered if word in METRIC_WORDS]
        if not metric:
            return ""
        part = [_PARTS.get(w, w) for w in lowered if w in ("train", "training", "val", "validation", "valid", "test")]
        kept = [*part[:1], metric[-1] if metric[-1:] == lowered[-1:] else metric[0]]
    return "_".join(kept).lower()


def _number(match: re.Match[str]) -> float:
    groups = match.groupdict()
    text = groups.get("n") or groups.get("q") or groups.get("l") or "nan"
    return float(text.replace(",", ""))


def _pairs(line: str) -> dict[str, float]:
    found: list[tuple[int, str, float]] = []
    taken: list[tuple[int, int]] = []

    def free(start: int, end: int) -> bool:
        return all(end <= a or start >= b for a, b in taken)

    for pattern in (_CELLS, _ROW):
        for match in pattern.finditer(line):
            if free(*match.span()):
                found.append((match.start(), normalise(match["name"]), _number(match)))
                taken.append(match.span())
    end = 0
    for match in _PAIR.finditer(line):
        left = line[end : match.start()].rstrip().replace("'s ", " ").replace("Val. ", "val ")
        tail = _CLAUSE.split(left)[-1].strip().strip("\"'`").strip()
        tail = re.sub(r"^(?:[\d.,/%)\s]+|\W+)(?=[A-Za-z])", "", tail)
        end = match.end()
        if tail and _NAME.match(tail) and free(*match.span()):
            found.append((match.start(), normalise(tail), _number(match)))
            taken.append((match.start() - len(tail), match.end()))
    known = _KNOWN.finditer(line) if _TOKENS.intersection(re.findall(r"[a-z]+\d?", line.lower())) else ()
    for match in known:
        if free(*match.span()):
            found.append((match.start(), normalise(match["name"]), _number(match)))
    headings = [(m.start(), _PARTS.get(m["part"].lower(), m["part"].lower())) for m in _HEADING.finditer(line)]
    pairs: dict[str, float] = {}
    for start, name, value in sorted(found):
        if not name or _COUNTER_NAME.match(name):
            continue
        part = next((p for at, p in reversed(headings) if at < start), "")
        marked = {_PARTS.get(word, word) for word in re.split(r"[_/.\s-]", name)} & {
            "train",
            "val",
            "test",
            "dev",
            "eval",
        }
        pairs[f"{part}_{name}" if part and not marked else name] = value
    return pairs


_OVERALL = re.compile(
    r"\W*(?:overall|summary|(?:average|avg|mean|best|worst|total)\b.*?\b(?:seeds?|runs|trials|all))\b", re.IGNORECASE
)
_COUNTER_NAME = re.compile(r"(?:epoch|step|iter|iteration|batch|fold)_?#?\d+\Z")


def json_numbers(data: dict[str, object], above: str = "") -> dict[str, float]:
    """The numbers of a JSON object, nested names joined by `/`."""
    result: dict[str, float] = {}
    for name, value in data.items():
        full = f"{above}{name}"
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            result[full] = float(value) if abs(value) < 1e308 or not math.isfinite(value) else math.inf
        elif isinstance(value, dict):
            result.update(json_numbers(value, full + "/"))
    return result


def read(lines: Iterable[str]) -> tuple[Printed, Printed]:
    """What is printed, as (JSON lines, everything else)."""
    as_json, as_text = Printed(), Printed()
    header: list[str] = []
    for line in lines:
        if re.fullmatch(r"[\s|│:+=─━-]+", line):
            continue  # the rule below a header
        if not any(c.isdigit() for c in line) and "nan" not in line.lower() and "inf" not in line.lower():
            header = _header(line)
            continue
        stripped = line.strip()
        if stripped.startswith("{") and stripped.endswith("}"):
            try:
                data = json.loads(stripped)
            except (ValueError, RecursionError):
                data = None
            if isinstance(data, dict):
                as_json.add(json_numbers(data))
                continue
        bare = _BARE.match(line)
        if bare:
            as_text.add({"value": _number(bare)})
            continue
        cells = [cell for cell in re.split(r"[\s,;|│]+", stripped) if cell]
        if header and len(cells) == len(header) and all(re.fullmatch(_NUMBER + "%?", c, re.I) for c in cells):
            as_text.add(dict(zip(header, (float(c.rstrip("%").replace(",", "")) for c in cells), strict=True)))
            continue
        header = _header(line)
        as_text.add(_pairs(line[:2000]), overall=bool(_OVERALL.match(line)))
    return as_json, as_text


def _header(line: str) -> list[str]:
    cells = [cell for cell in re.split(r"\s{2,}|[\t,;|│]+|\s", line.strip()) if cell]
    if len(cells) >= 2 and all(re.fullmatch(r"[A-Za-z_][\w/.@-]*", cell) for cell in cells):
        return [cell.lower() for cell in cells]
    return []


def by_pattern(lines: Iterable[str], pattern: str) -> list[float]:
    """The numbers that a regular expression finds: its group 1, or the first number in what it matches."""
    found: list[float] = []
    expression = re.compile(pattern)
    for line in lines:
        for match in expression.finditer(line):
            text = match.group(1) if expression.groups else match.group(0)
            number = re.search(_NUMBER, text or "", re.IGNORECASE)
            if number:
                found.append(float(number.group(0).replace(",", "")))
    return found
