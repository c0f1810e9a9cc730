"""Masks text that differs between any two executions and means nothing (addresses, dates, durations …).

`check` and the comparison of forked runs use it.
"""

import csv
import io
import re
import time

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_LARGE = r"(?<![\w.,])(?:\d{1,3}(?:,\d{3}){1,4}(?:\.\d+)?|\d+(?:\.\d+)?[kKMG])"
"""A number as only rates are printed: 33,456 or 1.2k."""
_DAY = r"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? )"
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t(?:ember)?)?|Oct(?:ober)?|"
    r"Nov(?:ember)?|Dec(?:ember)?)\.?"
)
_BEGIN = r"(?<![A-Za-z0-9])"
"""Before a word, also where `_` stands before it, as in names of files."""
_FRACTION = r"(?:\.\d{1,9}|,\d{3}(?!\d)(?:\.\d{3}(?![.\d]))?)?"
"""Parts of a second; `,123.456` is a logger's time with milliseconds behind it."""
_CLOCK = rf"\d\d:\d\d(?::\d\d{_FRACTION})?"
_MONTH_DAY = r"(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_HOURS = r"(?:[01]\d|2[0-3])"
_HOUR_MINUTE = rf"{_HOURS}[0-5]\d"
_EPOCH = r"\b1[6-9]\d{8}(?:\.\d+)?"
"""Seconds since 1970, of these years."""
_EPOCH_PARTS = re.compile(r"(?<![\w.])1[6-9]\d{8}(?:\d{9}|\d{6}|\d{3})(?![\w.])")
"""Thousandths, millionths and nanoseconds since 1970."""
_AROUND = 400 * 86_400.0
"""Seconds from now within which such a number is a time: the clock of a check may be a year ahead."""


def _of_these_days(found: "re.Match[str]") -> str:
    """EPOCH for a whole number that is a time of these days in parts of a second; another number stays."""
    return "EPOCH" if abs(int(found[0][:10]) - time.time()) < _AROUND else found[0]


_BASE64 = r"[A-Za-z0-9+/]"
_NEXT_LINE = r"(?:\\n|\r?\n)"
_FULL = rf"(?:{_BASE64}{{76}}{_NEXT_LINE})"
_PICTURE = (
    rf"(?<!{_BASE64})(?=(?:iVBORw0KGgo|/9j/|R0lGOD|UklGR|PHN2Zy|JVBERi0))"
    rf"(?:{_FULL}+{_BASE64}{{1,76}}={{0,2}}|{_BASE64}{{60,}}={{0,2}})"
)
"""A picture in a page or a notebook, in base64 of one line or in lines of 76: the first bytes of PNG, JPEG, GIF, WebP, SVG and PDF."""
_SVG = r"<svg\b[^<>]*/>|<svg\b(?:(?!<svg\b).)*?</svg>"
_ALWAYS = (
    (re.compile(rf"{_PICTURE}|{_SVG}", re.DOTALL), "PICTURE"),
    (re.compile(r"0x[0-9a-fA-F]{5,}"), "0x"),
    (
        re.compile(r"(?<![\w.])(?:1(?:39|40)|9[345])\d{12}(?![\w.])"),
        "0x",
    ),  # `id(…)`: 0x7f… or 0x55…, as Linux places memory
    (
        re.compile(r"(?m)^[IWEF]\d{4} [\d:.]+ +\d+ "),
        "LOG ",
    ),  # a clock and a process: the log lines of Google's libraries
    (
        re.compile(
            rf"{_BEGIN}\d{{4}}-\d\d-\d\d(?:[T_-]{_HOUR_MINUTE}(?:[0-5]\d{_FRACTION})?(?!\d)|[T _-]?(?:\d\d[:.-]\d\d(?:[:.-]\d\d{_FRACTION})?)?)"
        ),
        "DATE",
    ),
    (re.compile(rf"{_BEGIN}{_DAY}?{_MONTH} +\d{{1,2}},? +(?:{_CLOCK} +)?20\d\d\b(?!\.\d)"), "DATE"),
    (re.compile(rf"{_BEGIN}{_DAY}?\d{{1,2}} {_MONTH},? 20\d\d\b(?: {_CLOCK}|(?!\.\d))"), "DATE"),
    (re.compile(r"(?<![A-Za-z])[A-Z][a-z]{2}\d\d_\d\d-\d\d-\d\d"), "DATE"),
    (re.compile(rf"(?<![A-Za-z0-9.])20\d\d{_MONTH_DAY}[-_T]?{_HOUR_MINUTE}(?:[0-5]\d)?(?![A-Za-z0-9]|\.\d)"), "DATE"),
    (
        re.compile(
            rf"(?i)(?<![a-z0-9])\d{{1,2}}[-_]?{_MONTH}[-_]?20\d\d(?:[-_T]{_HOURS}[-_h:.]?[0-5]\d(?:[-_m:.]?[0-5]\d)?s?)?(?![a-z0-9])"
        ),
        "DATE",
    ),
    (re.compile(rf"{_BEGIN}\d{{1,2}}:\d\d(?::\d\d)?{_FRACTION}\b"), "TIME"),
    (
        re.compile(
            rf"(?i){_BEGIN}[0-9a-f]{{8}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{4}}-[0-9a-f]{{12}}(?![A-Za-z0-9])"
        ),
        "UUID",
    ),
    (re.compile(r"(?i)\b(pid\D{0,3})\d+"), r"\1PID"),
    (re.compile(r"(shared_object_id\W{1,4})\d+"), r"\1ID"),  # in what Keras saves: an address in memory
)
_DURATIONS = (
    (re.compile(rf"{_LARGE}\s?(?:it/s|samples/s|steps/s)\b"), "TIME"),
    (
        re.compile(
            rf"(?i)\b((?:\w+_)?(?:time|elapsed|took|duration|runtime|started|ended|finished in|trained in|done in)['\"]?[ \t:=]{{0,4}}['\"]?){_NUMBER}"
        ),
        r"\1TIME",
    ),
    (
        re.compile(
            rf"(?i)\b((?:\w+_)?(?:(?:milli|micro|nano)?seconds|secs?|wall|(?:time|elapsed|took|duration|runtime|wall|latency|delay)_(?:[mun]?s|secs?|seconds))"
            rf"['\"]?\s?[:=]\s?['\"]?){_NUMBER}"
        ),
        r"\1TIME",
    ),
    (re.compile(rf"(?i)(?<!\w)(['\"]?\w+_per_second['\"]?\s*[:=]\s*['\"]?){_NUMBER}"), r"\1TIME"),
    (
        re.compile(
            rf"(?<!\d){_NUMBER}(\s?(?:seconds|secs?|minutes|mins?|hours?|ms|µs|us|ns|s|it/s|s/it|(?:[mµun]?s)/step|samples/s|steps/s)\b)"
        ),
        "TIME",
    ),
    (re.compile(rf"{_EPOCH}\b"), "EPOCH"),
    (_EPOCH_PARTS, _of_these_days),
)
_DURATION_NAME = re.compile(
    r"(?i)(^|_)((?:time|elapsed|duration|took|runtime|wall|latency|delay)_[mun]?s|time|elapsed|duration|(?:milli|micro|nano)?seconds|secs|sec|runtime|wall|took|ms|timestamp|(samples|steps|tokens)_per_second)$"
)


def readable(text: str) -> str:
    """The text as a terminal shows it in the end, without what progress bars have overwritten, and without colours."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "\b" in text:
        while "\b" in (shorter := re.sub(r"[^\b\n]\x08", "", text)) and shorter != text:
            text = shorter
        text = shorter.replace("\b", "")
    if "\r" in text:
        text = "\n".join(_last(line) for line in text.replace("\r\n", "\n").split("\n"))
    return text


def _last(line: str) -> str:
    return next((part for part in reversed(line.split("\r")) if part.strip()), "")


_DAY_AND_TIME = re.compile(rf"(?<![A-Za-z0-9.])(\d{{4}})([-_T])({_HOUR_MINUTE}(?:[0-5]\d)?)(?![A-Za-z0-9]|\.\d)")
_DAYS_AROUND = range(-1, 3)
"""Of today: the clock of a check may be two days ahead."""


def _of_today(found: "re.Match[str]") -> str:
    """A day and a time without the year, as in names of runs (`1128-1947`), if it is a day of now."""
    now = time.time()
    days = {time.strftime(how, time.gmtime(now + 86_400 * k)) for k in _DAYS_AROUND for how in ("%m%d", "%d%m")}
    return "DATE" if found[1] in days else found[0]


def masked(text: str, durations: bool = True) -> str:
    """Output without what differs between any two executions.

    Numbers that look like durations stay if `durations` is False.
    """
    text = without_dates(readable(text))
    if durations:
        for pattern, instead in _DURATIONS:
            text = pattern.sub(instead, text)
        text = _without_timed_columns(text)
    return text


_CELL = re.compile(r"[^\s|│┃]+")
_MOST_BEFORE = 2
"""Words before the cells of a row."""
_RULE = re.compile(r"[-=+─━:]+\Z")


def _without_timed_columns(text: str) -> str:
    """A printed table without the numbers below a name such as `fit_time`.

    The names stand in one line, without any number, and each row below them has a cell for each name; what stands before these cells names the row.
    """
    lines = text.split("\n")
    names: list[str] = []
    since = 0
    for k, line in enumerate(lines):
        cells = list(_CELL.finditer(line))
        words = [cell[0] for cell in cells if not _RULE.match(cell[0])]
        if len(words) > 1 and not any(word[0].isdigit() for word in words) and any(map(names_duration, words)):
            names, since = words, k
        elif names and len(names) <= len(words) <= len(names) + _MOST_BEFORE:
            for name, cell in zip(reversed(names), reversed(cells), strict=False):
                if names_duration(name) and re.fullmatch(_NUMBER, cell[0]):
                    line = line[: cell.start()] + "TIME" + line[cell.end() :]
            lines[k] = line
        elif len(words) > 1 or (not words and k > since + 1):
            names = []
    return "\n".join(lines)


def without_dates(text: str) -> str:
    """The text, or bytes as Latin-1, without dates, addresses and identifiers."""
    for pattern, instead in _ALWAYS:
        text = pattern.sub(instead, text)
    return _DAY_AND_TIME.sub(_of_today, text)


def masked_file(text: str, name: str, durations: bool = True) -> str:
    """As `masked`, for a file. In a table, columns with the name of a duration are left out."""
    if durations and name.endswith((".csv", ".tsv")):
        text = _without_columns(text, "\t" if name.endswith(".tsv") else ",")
    return masked(text, durations)


def _without_columns(text: str, delimiter: str) -> str:
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=delimiter))
    except csv.Error:
        return text
    if not rows:
        return text
    keep = [k for k, name in enumerate(rows[0]) if not names_duration(name.strip())]
    if len(keep) == len(rows[0]):
        return text
    return "\n".join(delimiter.join(row[k] for k in keep if k < len(row)) for row in rows)


def masked_path(path: str) -> str:
    """A path without dates, identifiers and process numbers.

    So the same file has the same path in another execution.
    """
    path = masked(path, durations=False)
    path = re.sub(_EPOCH, "EPOCH", _EPOCH_PARTS.sub(_of_these_days, path))
    return re.sub(r"(?i)(?<![0-9a-z])(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{8,}(?![0-9a-z])", "ID", path)


def names_duration(name: str) -> bool:
    """Whether a metric or column with this name is a duration: `train_time` is one, `time_to_event` is not."""
    return bool(_DURATION_NAME.search(name))
