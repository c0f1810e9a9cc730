"""What was not restored, by what differs where the training goes on."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, zip_longest

from seedwise_guest.protocol import ALIAS, ROUNDED

from ...places import short_place
from ..trace import Trace
from .comparing import Comparison
from .words import PART_OF, Lost

_KINDS = (
    (
        Lost.OPTIMIZER,
        re.compile(
            r"^optimizer of Keras\[|›\.optimizer‹|‹\w*(?:optim|adam|adagrad|rmsprop|sgd|lion|momentum)\w*›", re.I
        ),
    ),
    (Lost.REPLAY, re.compile(r"replay|memory|buffer|transitions|queue|bank", re.I)),
    (Lost.HISTORY, re.compile(r"histor|losses|scores|records|curve|metrics\b", re.I)),
    (Lost.PATIENCE, re.compile(r"patien|wait|bad|no_improv|stale|since|strike|stop", re.I)),
    (Lost.AVERAGE, re.compile(r"ema|shadow|average|avg|swa|polyak|moving|target|teacher", re.I)),
    (Lost.BEST, re.compile(r"best|lowest|highest|min_|max_|record", re.I)),
    (Lost.COUNTER, re.compile(r"epoch|step|(?<![a-z])iter|updates|seen|count|\bt$|\bn_", re.I)),
)
_PASSING = re.compile(
    r"^_|start|begin|first|resum|initial|restor|ckpt|checkpoint|saved|path|file|time|loss$|\bt0\b|elapsed|args|argv|pid|exists|"
    r"^name$|state$|\bstate\[|loaded|found",
    re.I,
)

_OF_CHECKPOINT = re.compile(r"checkpoint|ckpt|\.(pt|pth|safetensors|npz|pkl|h5|keras)\b", re.I)
"""Text that names a checkpoint: it says only that one was found."""
_OF_LOG = re.compile(r"loss|metric|score|time|gpu|log", re.I)
_WHOLE_NUMBER = re.compile(r"-?\d+")
_IN_LIST = re.compile(r"^.*\]‹([^›]*)›")
_CLASS = re.compile(r"‹[^›]*›")
_DATA = re.compile(
    r"^(x|y|x_?b|y_?b|xs|ys|bx|by|images?|batch|inputs?|targets?|labels?|data|loss|outs?|outputs?|preds?|logits|grads?|noise|idx|"
    r"indices|perm|order)\d*$",
    re.I,
)
"""Names of a batch and of what is computed from it."""


@dataclass(frozen=True)
class Suspect:
    """Something that was not restored. `part` is its name for what can be put back; "" where that is not possible."""

    lost: Lost
    detail: tuple[str, ...] = ()
    part: str = ""

    @property
    def text(self) -> str:
        """The cause in words."""
        return f"{self.lost} ({', '.join(self.detail)})" if self.detail else self.lost.value


def differing_parts(whole: Trace, part: Trace, found: Comparison, ended: bool, order_known: bool) -> list[Suspect]:
    """The parts of the state that differ where the training goes on, those first that act first.

    `ended` says that the loader had come to its end where the checkpoint was written.
    """
    differs: Mapping[str, Sequence[str]] = part.resuming.get("differs") or {}
    suspects = []
    for name in ("parameters", "buffers", "copies", "optimizer", "schedule", "rates", "scaler", "trained", "gradients"):
        if name not in differs:
            continue
        detail, lost = tuple(differs[name]), PART_OF[name]
        if name == "parameters":
            rounded = [d for d in detail if d.startswith("rounded")]
            lost, detail = (Lost.PRECISION, tuple(rounded)) if rounded else (lost, ())
        detail = () if name == "gradients" else detail
        if name == "optimizer" and "groups" in differs:
            suspects.append(Suspect(Lost.GROUPS, tuple(differs["groups"]), "groups+optimizer+rates"))
            continue
        suspects.append(Suspect(lost, detail[:3], name))
    suspects = _joined(_joined(suspects, "parameters", "buffers"), "optimizer", "rates")
    drawn = set(whole.resuming.get("moved", ()))
    suspects += [Suspect(Lost.GENERATORS, (g,), f"generators {g}") for g in differs.get("generators", ()) if g in drawn]
    suspects += own_generators(whole, part)
    if _other_batch(whole, part, found):
        lost = Lost.ORDER if ended else Lost.POSITION
        suspects.append(Suspect(lost, (), "order" if order_known else ""))
    return suspects


def own_generators(whole: Trace, part: Trace, but: Collection[str] = ()) -> list[Suspect]:
    """The program's own generators that differ, `but` those at some paths; of several paths to one of them, the shortest."""
    values, _ = _values(whole, part)
    shortest: dict[str, str] = {}
    for path in sorted(differing_variables(whole, part), key=lambda path: (len(plain_name(path)), path)):
        if values[path].startswith("generator") and path not in but:
            shortest.setdefault(values[path], path)
    names = tuple(map(plain_name, shortest.values()))[:3]
    return [Suspect(Lost.OWN, names, "own generators")] if names else []


def _joined(suspects: list[Suspect], part: str, other: str) -> list[Suspect]:
    """Two parts that a program keeps together are one cause: the buffers of a model, the rates of an optimizer."""
    if not {part, other} <= {s.part for s in suspects}:
        return suspects
    return [replace(s, part=f"{part}+{other}") if s.part == part else s for s in suspects if s.part != other]


def _other_batch(whole: Trace, part: Trace, found: Comparison) -> bool:
    """Whether other data went in, until the parameters became others: from then on what goes in may be computed from them.

    What has no digest in one of them is no data there: a model had computed it.
    """
    end = None if found.first_step is None else found.first_step + 1
    a = whole.resuming.get("batches", [])[found.start : end]
    b = part.resuming.get("batches", [])[: None if end is None else end - found.start]
    pairs = (pair for mine, its in zip(a, b, strict=False) for pair in zip_longest(mine, its))
    return any(None not in pair and pair[0] != pair[1] for pair in pairs)


def _values(whole: Trace, part: Trace) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """The variables of both, path → value, where the training goes on: at its first step, else at a line or a draw of both.

    An object that is met again is `→` and the path under which it was met first. Where the other program holds another object there,
    what the object holds is told under both paths.
    """
    a, b = _where_fewest_differ(whole, part)
    return _with_aliases(a, b), _with_aliases(b, a)


_Pair = tuple[Mapping[str, str], Mapping[str, str]]


def _where_fewest_differ(whole: Trace, part: Trace) -> _Pair:
    """The variables where the fewest differ: before, not all may be put back; later, what was lost has changed others."""
    pairs = _pairs(whole, part)
    pairs = [_with_counters(*both) for both in pairwise(pairs)] + pairs[-1:]
    return min(pairs, key=lambda pair: sum(v != pair[1].get(k, v) for k, v in pair[0].items()), default=({}, {}))


def _pairs(whole: Trace, part: Trace) -> list[_Pair]:
    """The variables of both at each line that both ran, and at the first step or draw."""
    ours, theirs = (_by_line(trace.resuming.get("lines") or {}) for trace in (whole, part))
    pairs: list[_Pair] = [(ours[line], values) for line, values in theirs.items() if line in ours]
    a, b = (trace.resuming.get("variables") or {} for trace in (whole, part))
    return [*pairs, (a, b)] if a and b else pairs


def differing_anywhere(whole: Trace, again: Trace) -> frozenset[str]:
    """Paths of the variables that differ at some line between two uninterrupted runs."""
    return frozenset(
        path
        for a, b in _pairs(whole, again)
        for path, value in a.items()
        if path in b and not _same_value(value, b[path])
    )


def _with_counters(pair: _Pair, following: _Pair) -> _Pair:
    """The variables, and the whole numbers that one program has only at the next line: a loop sets its counter when it begins."""
    (a, b), (next_a, next_b) = pair, following
    new = [path for path in next_a if path in next_b and (path not in a or path not in b)]
    counters = [path for path in new if all(_WHOLE_NUMBER.fullmatch(values[path]) for values in following)]
    return {**a, **{path: next_a[path] for path in counters}}, {**b, **{path: next_b[path] for path in counters}}


def _by_line(seen: Mapping[str, Mapping[str, str | None]]) -> dict[str, dict[str, str]]:
    """Line → variables. The guest tells, of each line after the first, those that are others than there; None: gone."""
    first = next(iter(seen.values()), {})
    return {line: {k: v for k, v in {**first, **values}.items() if v is not None} for line, values in seen.items()}


def _with_aliases(values: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """The values, and those that the other program has under a path which leads here to an object met before."""
    found = {path: value for path, value in values.items() if not value.startswith(ALIAS)}
    aliases = [(path, value.removeprefix(ALIAS)) for path, value in values.items() if value.startswith(ALIAS)]
    missing = [path for path in other if path not in values]
    for alias, first in aliases:
        for path in missing:
            if path.startswith(alias) and (value := values.get(first + path[len(alias) :])):
                found[path] = value
    return found


def differing_variables(whole: Trace, part: Trace) -> list[str]:
    """Paths of the variables that both have where the training goes on, with other values."""
    a, b = _values(whole, part)
    return [path for path in a if path in b and not _same_value(a[path], b[path])]


def _same_value(a: str, b: str) -> bool:
    """Whether they are the same; a key that was saved is an array of the same numbers."""
    a, b = map(_shown, (a, b))
    (kind, _, digest), (other, _, others) = (value.partition(") ") for value in (a, b))
    return a == b or ({kind[:5], other[:5]} == {"key (", "array"} and digest == others)


def _shown(value: str) -> str:
    """A value without the digests that an array has after it was rounded."""
    return value.partition(ROUNDED)[0] if value.startswith(("array (", "tensor (")) else value


def _rounded_to(a: str, b: str) -> str:
    """The precision to which an array was rounded, if that is all that happened to it; else "".

    Numbers that rounding does not change tell nothing: whole ones, say.
    """
    (shape, _, before), (other, _, after) = (_shown(value).rpartition(" ") for value in (a, b))
    if shape != other or not a.startswith(("array (", "tensor (")):
        return ""
    kinds = (text.split() for text in a.split(ROUNDED)[1:])
    return next((kind for kind, kept, back in kinds if back != before and after in (kept, back)), "")


def perhaps(whole: Trace, part: Trace, but: Collection[str] = ()) -> list[Suspect]:
    """Variables that differ and that nothing from outside can put back, `but` those at some paths, the likeliest kinds first."""
    kinds: dict[Lost, list[str]] = {}
    a, b = _values(whole, part)
    for path in differing_variables(whole, part):
        name = _last_name(path)
        if path in but or _PASSING.search(name) or a[path].startswith("generator"):
            continue
        kind = next((k for k, pattern in _KINDS if pattern.search(_with_classes(path))), Lost.VARIABLE)
        kind = Lost.KEY if a[path].startswith("key ") else kind
        if a[path].startswith(("tensor", "array")) and _DATA.match(plain_name(path)):
            continue
        if any(value[:1] in "'\"" and _OF_CHECKPOINT.search(value) for value in (a[path], b[path])):
            continue
        if kind is Lost.REPLAY and (
            not a[path].startswith(("deque", "list", "array", "tensor")) or _OF_LOG.search(name)
        ):
            kind = Lost.VARIABLE
        precision = _rounded_to(a[path], b[path])
        if precision and kind is not Lost.HISTORY:
            kinds.setdefault(Lost.ROUNDED, []).append(f"{plain_name(path)} rounded to {precision}")
            continue
        shown = f" ({_shown(a[path])}, resumed {_shown(b[path])})"
        shown = "" if a[path].startswith(("tensor", "array", "key ")) else shown
        kinds.setdefault(kind, []).append(f"{plain_name(path)}{shown if len(shown) < 80 else ''}")
    held = _held_by_objects(kinds, a)
    if held:
        kinds = {kind: [text for text in texts if text not in held] for kind, texts in kinds.items()}
        kinds = {**{kind: texts for kind, texts in kinds.items() if texts}, Lost.OBJECT: held}
    order = (
        Lost.OPTIMIZER,
        Lost.KEY,
        Lost.REPLAY,
        Lost.AVERAGE,
        Lost.OBJECT,
        Lost.PATIENCE,
        Lost.BEST,
        Lost.COUNTER,
        Lost.ROUNDED,
        Lost.VARIABLE,
        Lost.HISTORY,
    )
    return [Suspect(kind, tuple(dict.fromkeys(kinds[kind]))[:4]) for kind in order if kind in kinds]


def _held_by_objects(kinds: Mapping[Lost, Sequence[str]], values: Mapping[str, str]) -> list[str]:
    """Of variables that may be anything: those of one object of the program's that holds several, arrays among them.

    So do normalisers, filters and estimators that run along: a mean, a variance and a count.
    """
    arrays = {plain_name(path) for path, value in values.items() if value.startswith(("tensor", "array"))}
    of: dict[str, list[str]] = {}
    for text in (*kinds.get(Lost.VARIABLE, ()), *kinds.get(Lost.COUNTER, ())):
        owner, dot, _ = text.partition(" ")[0].rpartition(".")
        if dot:
            of.setdefault(owner, []).append(text)
    found = [
        texts for texts in of.values() if len(texts) > 1 and any(text.partition(" ")[0] in arrays for text in texts)
    ]
    return max(found, key=len, default=[])


def cached(whole: Trace, left: Mapping[str, str], checkpoints: Sequence[str]) -> dict[str, str]:
    """Files that the program looked for, made, and left as they were: path → the line that looked for it.

    Parameters
    ----------
    left
        Digests of the files that the interrupted program left.
    """
    found = {}
    for path, where in whole.looked.items():
        name = next((name for name in left if path == name or path.endswith(f"/{name}")), None)
        if name is not None and path not in checkpoints and left[name] == whole.files.get(name):
            found[path] = where
    return found


def why_moved(suspect: Suspect, whole: Trace, part: Trace) -> Suspect:
    """A generator that differs where the training goes on, with the reason, if that is not that nobody saved it."""
    if suspect.lost is not Lost.GENERATORS:
        return suspect
    name = suspect.detail[0]
    mover = (part.resuming.get("drawn_between") or {}).get(name)
    if mover == "resumed":
        between = [what for what in part.resuming.get("between") or () if _may_draw(what, name)]
        told = f"{name}: put back as it was saved; then the resumed program draws from it{_by(between[0]) if between else ''}"
        return replace(suspect, lost=Lost.MOVED, detail=(told,))
    if mover == "uninterrupted":
        first = part.resuming.get("first_there", "")
        by = _by(first) if first != part.resuming.get("entry") and _may_draw(first, name) else ""
        told = f"{name}: put back as it was saved; the uninterrupted program draws from it before its next step{by}"
        return replace(suspect, lost=Lost.MOVED, detail=(told,))
    again = {where: times for where, times in (whole.resuming.get("seeded") or {}).get(name, {}).items() if times > 1}
    if again:
        where, times = max(again.items(), key=lambda item: item[1])
        told = f"{name}: {short_place(where)} gives it the same seed {times} times"
        return replace(suspect, lost=Lost.RESEEDED, detail=(told,))
    return suspect


def _may_draw(what: str, generator: str) -> bool:
    """Whether what the guest saw may draw from this generator: a function of its library, or a loader or model of torch."""
    return what.startswith(f"{generator}.") or (generator == "torch" and what.split(maxsplit=1)[0] in ("pass", "model"))


def _by(what: str) -> str:
    """` (torch.randn at train.py:31)`, from what the guest says of a draw: `torch.randn /…/train.py:31`."""
    name, _, place = what.partition(" ")
    if not place:
        return ""
    return f" ({'a loader' if name == 'pass' else name} at {short_place(place)})"


def other_rates(whole: Trace, part: Trace, found: Comparison) -> Suspect | None:
    """The schedule of the learning rate, where the rates differ at or before the first step that differs."""
    a, b = whole.resuming.get("rates", ()), part.resuming.get("rates", ())
    for k, (mine, its) in enumerate(zip(a[found.start :], b, strict=False), start=found.start):
        if found.first_step is not None and k > found.first_step:
            return None
        if mine != its:
            shown = (_short(mine), _short(its)) if _short(mine) != _short(its) else (mine, its)
            return Suspect(Lost.SCHEDULE, (f"in step {k + 1} the rate is {shown[0]}, resumed {shown[1]}",))
    return None


def _short(rates: str) -> str:
    """Rates as text, to six digits."""
    return re.sub(r"\d+\.\d+(e-?\d+)?", lambda found: f"{float(found[0]):.6g}", rates.strip("[]"))


def without_effect(part: Trace) -> list[str]:
    """What was not restored, and changed nothing in this run."""
    differs = part.resuming.get("differs") or {}
    names = ("optimizer", "schedule", "scaler")
    return [f"{PART_OF[name]} ({', '.join(differs[name][:2])})" for name in names if name in differs]


def plain_name(path: str) -> str:
    """The variable as its function names it; an object in a list by its class: `ReduceLROnPlateau.best`."""
    return _CLASS.sub("", _IN_LIST.sub(r"\1", _with_classes(path)))


def _with_classes(path: str) -> str:
    """The variable, and the classes of the objects that hold it."""
    return path.rpartition(": ")[2]


def _last_name(path: str) -> str:
    """The last name in a path such as `main: stopper.best['loss']`."""
    name = re.sub(r"\[\d+\]", "", plain_name(path))
    found = re.findall(r"[A-Za-z_]\w*", name)
    return found[-1] if found else name
