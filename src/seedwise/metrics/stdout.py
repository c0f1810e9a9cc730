"""Reading metrics from what a script prints.

The rules, which docs/metrics.md states for users with a table of examples:

1. Colour codes, a logger's date and level, and the bar of a progress bar are dropped; `\\r` ends a line as `\\n` does.
2. A line that is a JSON object, or a dictionary of Python, gives its numbers, nested names joined by `/`.
3. A name and a number with `=`, `:` or an arrow between them: `acc = 0.79`, `val loss: 1e-3`, `'f1': 0.8`, `val_acc=93.1%`. The
   name is the words before the sign, up to four, joined by `_`, lower case; a longer phrase is cut to its metric word
   with train, val or test (`Accuracy of the network on the test images: 93 %` → `test_accuracy`).
4. A known metric word, or `seed`, straight before a number: `loss 0.31`, `accuracy is 0.9`; or behind it: `0.98 accuracy`.
5. Rows of a table: `| acc | 0.93 |`, `accuracy     0.93`; a header of names with rows of as many numbers below it.
6. A heading train, val or test goes before the names to its right: `train: loss 0.1 | val: loss 0.2` → `val_loss` 0.2.
7. Of `41.2 → 38.7` the last number counts, of `Acc@1 74.2 (69.7)` the average in brackets, of `9823/10000` the fraction.
8. A line with nothing but a number is a repeat of the metric `value`.
"""

import ast
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from .goals import METRIC_WORDS, words
from .headline import part_of
from .lines import NUMBER, after_arrows, lines_of, number, without_frame
from .tables import Table, is_rule

__all__ = ["Printed", "by_pattern", "json_numbers", "lines_of", "normalise", "read"]

_AFTER = r"(?![A-Za-z0-9_:/]|[.-]\d|,\d(?!\d{0,2}\D))"
_COMMA = r"[-+]?(?:0,\d+|\d+,\d{1,2})(?![\d,.])"
_WRAPPED = r"(?:%\.?\d*f\s+)?(?:(?:tensor|array|Array|float|(?:np|numpy|jnp|torch)\.\w+)\(\s*)?[\"']?"
_FRACTION = r"(?P<a>\d+)\s?/\s?(?P<b>\d+)\s*\((?P<q>[\d.]+)\s?%\)"
_VALUE = rf"{_WRAPPED}(?:\[\s*(?P<l>{NUMBER})\s*\]|{_FRACTION}|(?P<c>{_COMMA})\s?%?(?=\s|$|;)|(?P<n>{NUMBER})(?P<p>\s?%)?{_AFTER})"
_SIGN = r"(?:=>|-+>|:=|==|=|:|：|≈|~|→|⇒|➔)"
_PAIR = re.compile(rf"{_SIGN}\s*{_VALUE}", re.IGNORECASE)
_METER = re.compile(
    rf"(?P<name>(?:final )?[A-Za-z][\w@/.-]*):?\s+(?P<first>{NUMBER})\s*\((?P<n>{NUMBER})\)", re.IGNORECASE
)
_TUPLE = re.compile(rf"\(\s*[\"'](?P<name>[^\"']{{1,60}})[\"']\s*,\s*{_VALUE}\s*\)", re.IGNORECASE)
_LISTED = re.compile(
    rf"^(?P<names>[^:\[\]=]+,[^:\[\]=]+?)\s*[:=]\s*[\[(](?P<values>\s*{NUMBER}(?:\s*,\s*{NUMBER})+)\s*[\])]",
    re.IGNORECASE,
)
_WORDS = "|".join(
    sorted(
        (re.escape(w) for w in {*METRIC_WORDS, "seed", "r-squared", "f-score", "f1-score", "f-measure"}),
        key=len,
        reverse=True,
    )
)
_SPLITS = r"(?:train|training|val|valid|validation|test|dev|eval|best|final|mean|average|avg\.?|max\.?|min\.?|total|full|adj\.?|clean|meta|log)"
_VERB = r"(?:is|was|of|at|now|score|improved|decreased|increased|reduced|obtained|:?\s*%f)"
_KNOWN = re.compile(
    rf"(?<![\w/.-])(?P<name>(?:{_SPLITS}(?:\s+set)?[\s_-]+)*(?:\w+_)?(?:{_WORDS})(?:@\d+)?(?:\s\((?:micro|macro)(?:\savg)?\))?)\s+"
    rf"(?:{_VERB}\s+)?[(\[]?{_VALUE}",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    rf"^\s*(?P<n>{NUMBER})(?P<p>\s?%)?\s+(?P<name>(?:{_SPLITS}\s)*(?:{_WORDS}))(?![\w:=])", re.IGNORECASE
)
_UNIT = re.compile(rf"\s*(?P<unit>{_WORDS})\b(?!\s*[:=]|\s+{NUMBER})", re.IGNORECASE)
_COUNT_BEHIND = re.compile(
    r"\s*(?:time[_ ]?steps|steps|epochs|episodes|iterations|iters|samples|batches|images|tokens|params|parameters)\b(?!\s*[:=])",
    re.IGNORECASE,
)
_CELLS = re.compile(rf"[|│┃║]\s*(?P<name>[^\W\d][\w /.@^-]*?)\s*[|│┃║]\s*{_VALUE}\s*(?=[|│┃║])", re.IGNORECASE)
_ROW = re.compile(
    rf"^\s*(?P<name>[^\W\d][\w/.@^()-]*(?: [\w/.@^()-]+){{0,3}})(?:\s{{2,}}|\t\s*)(?:all\s+)?{_VALUE}\s*$",
    re.IGNORECASE,
)
_COLUMNS = re.compile(
    rf"(?:^|\s{{2,}})(?P<name>[^\W\d][\w.-]*(?: [\w.-]+){{0,2}}):?\s{{2,}}{_VALUE}(?=\s|$)", re.IGNORECASE
)
_COCO = re.compile(
    r"\((?P<name>A[PR])\)\s*@\[\s*IoU=(?P<iou>[\d.:]+)\s*\|\s*area=\s*(?P<area>\w+)\s*\|\s*maxDets=\s*(?P<most>\d+)\s*\]\s*="
    rf"\s*(?P<n>{NUMBER})"
)
_BARE = re.compile(rf"^\s*(?P<n>{NUMBER})\s?%?\s*$", re.IGNORECASE)
_DURATION = r"(?<![\w.])(?:\d+(?:\.\d+)?\s?(?:ns|us|µs|ms|s|secs?|seconds?|m|mins?|minutes?|h|hours?)){1,3}(?![\w/-])"
_CLAUSE = re.compile(
    rf"{_DURATION}|"
    r"[|│┃║,，。;；\t{}\[\]=:：>•*#]|\s[-–—]+\s|\s{2,}|(?<=\w{4}[.!?])\s|(?<=\d\ss\.)\s|(?<=[)\d%][.!?])\s"
)
_NAME = re.compile(r"[^\W\d][\w/.@^%²$-]*(?:\s*\([\w\s/.@^%-]*\))?\Z|[^\W\d][\w/.@^%²()$ -]*\Z|1\s?[-−]\s?\w+\Z|%\w+\Z")
_PART = r"(?P<part>train(?:ing)?|val(?:id(?:ation)?|idating)?|vali|test(?:ing)?|dev|eval(?:uat(?:ion|ing))?|holdout)"
_HEADING = re.compile(
    rf"(?:^|(?<=[|│;,\[({{\s*]))['\"]?{_PART}['\"]?"
    r"(?:\s+(?:[a-z]+|#?\d+)){0,3}?\s*(?:[:：\]|>()]|\s-\s|\s{2,})(?!\s*[-+]?[\d.])",
    re.IGNORECASE,
)
_PART_WORD = re.compile(rf"['\"]?{_PART}\.?\s+(?=[^\W\d])", re.IGNORECASE)
_PARTS = {
    "training": "train",
    "valid": "valid",
    "validation": "val",
    "validating": "val",
    "testing": "test",
    "evaluation": "eval",
    "evaluating": "eval",
}
_LONG_PARTS = {**_PARTS, "valid": "val", "train": "train", "val": "val", "test": "test", "eval": "eval"}
_ARTICLES = frozenset("the a an and with on in for of at is was my our mean: its ".split())
_LITERAL = re.compile(r"^(?P<name>[\w /-]{0,40}?)\s*[:=]?\s*(?P<value>\{.*\})\s*$")
_NAMESPACE = re.compile(r"\b(?:Namespace|Config|Args|Arguments|TrainingArguments|Munch|CfgNode)\(")
_MOST_NAMES = 5000


_TOKENS = METRIC_WORDS | {"seed", "squared"}


@dataclass
class Printed:
    """Every name with its numbers in order, and what each line gave."""

    values: dict[str, list[float]] = field(default_factory=dict)
    records: list[dict[str, float]] = field(default_factory=list)
    """Line by line: the pairs of one line."""

    overall: list[bool] = field(default_factory=list)
    """For each record whether its line speaks of all seeds: `Average over seeds: …`."""

    def add(self, pairs: Mapping[str, float], overall: bool = False) -> None:
        """Take the pairs of one line."""
        for name, value in pairs.items():
            if name in self.values or len(self.values) < _MOST_NAMES:
                self.values.setdefault(name, []).append(value)
        if pairs:
            self.records.append(dict(pairs))
            self.overall.append(overall)


_COUNTED = r"(?:epoch|step|iter(?:ation)?|batch|fold|round|ep|episode|gen(?:eration)?|updates?|trial|seed)"


@lru_cache(maxsize=8192)
def normalise(name: str) -> str:
    """The form in which a printed name is kept: words joined by `_`, lower case, articles dropped."""
    name = re.sub(rf"(?i)\s*\b(?:(?:at|after|in|on)\s+)?{_COUNTED}\s*#?\d+\b", "", name) or name
    name = re.sub(rf"(?i)^{_COUNTED}\s*#?\d+\S*\s+(?=\S)", "", name)
    name = re.sub(r"(?i)\b(avg|max|min|adj|val|std|no)\.", r"\1", name)
    name = re.sub(r"(?i)^.*\s(?:obtains?|achieves?|reaches|gets|has)\s+(?=\S)", "", name)
    name = re.sub(r"\s*\(\s*%?\s*\)", "", name.strip().strip("\"'`"))
    name = re.sub(r"\s*\(([^)]*)\)", r" \1", name).strip("()-–—_<> %").removesuffix(".").removeprefix(".")
    name = re.sub(r"(?i)\s+(?:decreased|increased|improved|reduced|obtained|went)$", "", name)
    parts = [part for part in re.split(r"[\s]+", name) if part]
    kept = [part for part in parts if part.lower() not in _ARTICLES] or parts
    if len(parts) <= 3:
        kept = [part for part in parts if part.lower() not in _ARTICLES - {"of", "on", "over"}] or parts
    if len(kept) > 4:
        kept = _cut(kept)
    return "_".join(kept).lower()


def _cut(kept: list[str]) -> list[str]:
    """A phrase of more than four words as the data it was measured on, and its metric word."""
    lowered = [part.lower().strip(".,()") for part in kept]
    metric = [word for word in lowered if word in METRIC_WORDS]
    if not metric:
        return []
    part = [_LONG_PARTS[w] for w in lowered if w in _LONG_PARTS]
    specific = [word for word in metric if word not in ("error", "score", "squared", "exact", "correct")]
    chosen = metric[-1] if metric[-1:] == lowered[-1:] else (specific or metric)[0]
    return [*part[:1], chosen]


def _number(match: re.Match[str]) -> float:
    groups = match.groupdict()
    if groups.get("b") and int(groups["b"]):
        exact = 100 * int(groups["a"]) / int(groups["b"])
        if abs(exact - float(groups["q"])) <= 0.51:
            return exact
    return number(groups.get("n") or groups.get("c") or groups.get("q") or groups.get("l") or "nan")


class _Line:
    """What is found in one line. A place that one rule has read is not read again by another."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[tuple[int, str, float]] = []
        self._taken: list[tuple[int, int]] = []

    def free(self, start: int, end: int) -> bool:
        return all(end <= a or start >= b for a, b in self._taken)

    def take(self, start: int, end: int, name: str, value: float) -> None:
        self.found.append((start, name, value))
        self._taken.append((start, end))

    def by(self, pattern: re.Pattern[str]) -> None:
        """Take all that a pattern with a name and a value finds."""
        for match in pattern.finditer(self.text):
            if self.free(*match.span()):
                self.take(*match.span(), normalise(match["name"]), _number(match))

    def meters(self) -> None:
        """`Loss 1.2 (1.3) Acc@1 70.1 (69.3)`: the averages."""
        found = [match for match in _METER.finditer(self.text) if not _is_time(match["name"])]
        if len(found) >= 2 or re.search(r"\[\s*\d+/\d+\]", self.text):
            for match in found:
                first, second = number(match["first"]), number(match["n"])
                both = any(math.isclose(first + second, whole, rel_tol=1e-6) for whole in (1, 100))
                self.take(
                    *match.span(), normalise(match["name"]), first if both else second
                )  # both: 79.1 right, 20.9 wrong

    def coco(self) -> None:
        """A line of COCO's summary: `ap`, `ap50`, `ap_small`, `ar@1`."""
        match = _COCO.search(self.text)
        if match is None:
            return
        iou, area, most = match["iou"], match["area"].lower(), int(match["most"])
        name = match["name"].lower() + ("" if ":" in iou else f"{float(iou) * 100:.0f}")
        name += ("" if area == "all" else f"_{area}") + ("" if most >= 100 else f"@{most}")
        self.take(0, len(self.text), name, _number(match))

    def listed(self) -> None:
        """`test loss, test acc: [0.31, 0.92]`."""
        match = _LISTED.search(self.text)
        if match is None:
            return
        names, values = match["names"].split(","), match["values"].split(",")
        if len(names) == len(values) and all(_NAME.match(name.strip()) for name in names):
            for k, (name, value) in enumerate(zip(names, values, strict=True)):
                self.found.append((match.start() + k, normalise(name.strip()), number(value.strip())))
            self._taken.append(match.span())

    def pairs(self) -> None:
        """`name = number`, `name: number`, `name → number`."""
        end = 0
        for match in _PAIR.finditer(self.text):
            tail = _tail(self.text[end : match.start()])
            end = match.end()
            if (match["n"] or "").isdigit() and _COUNT_BEHIND.match(
                self.text, match.end()
            ):  # `average reward over the last : 4000 timesteps`
                continue
            if tail and _NAME.match(tail) and self.free(*match.span()):
                name = normalise(tail)
                unit = _UNIT.match(self.text, match.end())
                if unit and not set(words(name)) & METRIC_WORDS - {"score"}:  # `Test Score: 47.53 RMSE`
                    name = f"{name}_{unit['unit'].lower()}"
                self.take(match.start() - len(tail), match.end(), name, _number(match))

    def behind(self) -> None:
        """`0.98 accuracy with …`."""
        match = _BEHIND.match(self.text)
        if match and self.free(*match.span()):
            self.take(*match.span(), normalise(match["name"]), _number(match))

    def named(self) -> dict[str, float]:
        """The pairs, each name with the part of the data that its heading says."""
        headings = [(m.start(), _PARTS.get(m["part"].lower(), m["part"].lower())) for m in _HEADING.finditer(self.text)]
        result: dict[str, float] = {}
        before = ""  # `train Loss: 0.21 | Acc: 0.93`: the part goes on to the next one, or to the end of the line
        for start, name, value in sorted(self.found):
            word = _PART_WORD.match(self.text[start : start + 20])
            inherited = before
            if word:
                before = _PARTS.get(word["part"].lower(), word["part"].lower())
            elif part_of(name):
                before = ""
            if not name or _COUNTER_NAME.match(name) or _is_time(name.rpartition("_")[2]):
                continue
            part = next((p for at, p in reversed(headings) if at < start), "") or inherited
            result[f"{part}_{name}" if part and not part_of(name) and name != "seed" else name] = value
        return result


@lru_cache(maxsize=8192)
def _tail(left: str) -> str:
    """The name at the end of what stands to the left of a sign."""
    left = left.rstrip().replace("'s ", " ").replace("Val. ", "val ")
    tail = _CLAUSE.split(left)[-1].strip().strip("\"'`").strip()
    tail = re.sub(r"^(?:m?s|sec)\.?\s+(?=\S)", "", tail)  # of the number before
    if not re.match(r"1\s?[-−]\s?[A-Za-z]", tail):
        tail = re.sub(r"^(?:[\d.,/%)\s]+|[^\w%]+)(?=[^\W\d])", "", tail)
    return tail.rpartition("(")[2] if tail.count("(") > tail.count(")") else tail


def _is_time(name: str) -> bool:
    return name.lower() in ("eta", "data") or name.lower().endswith(("it/s", "s/it"))


def _pairs(line: str) -> dict[str, float]:
    """The names and numbers in one line."""
    found = _Line(line)
    found.coco()
    found.meters()
    found.by(_CELLS)
    found.by(_ROW)
    found.by(_TUPLE)
    found.listed()
    found.pairs()
    lower = line.lower()
    if _TOKENS.intersection(re.findall(r"[a-z]+\d?", lower)) or not line.isascii():
        found.behind()
        found.by(_KNOWN)
        found.by(_COLUMNS)
    return found.named()


_OVERALL = re.compile(
    r"\W*(?:overall|summary|(?:average|avg|mean|best|worst|total)\b.*?\b(?:seeds?|runs|trials|all))\b", re.IGNORECASE
)
_COUNTER_NAME = re.compile(r"(?:epoch|step|iter|iteration|batch|fold)_?#?\d+\Z")


def json_numbers(data: Mapping[str, object], above: str = "") -> dict[str, float]:
    """The numbers of a JSON object, nested names joined by `/`."""
    result: dict[str, float] = {}
    for name, value in data.items():
        full = f"{above}{name}"
        if isinstance(value, bool):
            continue
        if isinstance(value, int | float):
            try:
                result[full] = float(value)
            except OverflowError:
                result[full] = math.inf if value > 0 else -math.inf
        elif isinstance(value, dict):
            result.update(json_numbers(value, full + "/"))
    return result


def _of_literal(line: str) -> dict[str, float] | None:
    """The numbers of a dictionary as Python prints it; of a list of numbers, as in a history, the last one."""
    match = _LITERAL.match(line)
    if match is None or len(line) > 20_000:
        return None
    try:
        data = ast.literal_eval(
            re.sub(r"\b(nan|inf)\b", r"1e999", match["value"]) if "nan" not in line else match["value"]
        )
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None
    if not isinstance(data, dict):
        return None
    name = match["name"].strip()
    if name and part_of(name):
        return None  # a heading: the rules for it apply
    counted = re.fullmatch(rf"{_COUNTED}\s*#?\d+", name, re.IGNORECASE)
    above = f"{normalise(name)}/" if name and not counted else ""
    if not any(isinstance(value, dict | list) for value in data.values()) and not name:
        return None  # as ever
    numbers = json_numbers(_last_of_lists(data), above)
    return {_PART_KEY.sub(r"\1_", key).lower(): value for key, value in numbers.items()} or None


_PART_KEY = re.compile(rf"^{_PART}/", re.IGNORECASE)


def _last_of_lists(data: Mapping[object, object]) -> dict[str, object]:
    result: dict[str, object] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            result[str(key)] = _last_of_lists(value)
        elif isinstance(value, list) and value and all(isinstance(v, int | float) for v in value):
            result[str(key)] = value[-1]
        else:
            result[str(key)] = value
    return result


def read(lines: Iterable[str]) -> tuple[Printed, Printed]:
    """What is printed, as (JSON lines, everything else)."""
    as_json, as_text = Printed(), Printed()
    table = Table()
    listing = False  # in a list that goes over several lines: its numbers are no results
    for raw in lines:
        line = without_frame(raw[:20_000])
        if is_rule(line):
            continue  # below a header
        if not re.search(r"\d\.\d|[=:]\s*\S|\b(?:nan|inf)\b", line, re.IGNORECASE):
            table.header(line)
        if not any(c.isdigit() for c in line) and not re.search(r"\b(?:nan|inf)\b", line, re.IGNORECASE):
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
        literal = _of_literal(stripped) if "{" in stripped else None
        if literal is not None:
            as_text.add(literal)
            continue
        bare = _BARE.match(line)
        inside, listing = listing, stripped.endswith((",", "[", "(", "{"))
        if bare and inside:
            continue
        if bare:
            as_text.add({"value": _number(bare)})
            continue
        row = table.row(line)
        if row is not None:
            as_text.add(row)
            continue
        text = after_arrows(line[:2000])
        as_text.add(_pairs(text), overall=bool(_OVERALL.match(text)))
    return as_json, as_text


def by_pattern(lines: Iterable[str], pattern: str) -> list[float]:
    """The numbers that a regular expression finds: its group 1, or the first number in what it matches."""
    found: list[float] = []
    expression = re.compile(pattern)
    for line in lines:
        for match in expression.finditer(line):
            text = match.group(1) if expression.groups else match.group(0)
            hit = re.search(NUMBER, text or "", re.IGNORECASE)
            if hit:
                found.append(number(hit.group(0)))
    return found
