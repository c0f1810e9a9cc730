"""The lines of an output as a person would have seen them, without what loggers and progress bars put around the text."""

import re
from collections.abc import Iterator

DIGITS = r"(?:[1-9]\d{0,2}(?:,\d{3})+(?![\d,])|\d+)"
NUMBER = rf"[-+−]?\$?\s?(?:{DIGITS}(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?|nan|inf(?:inity)?)"

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_LEVEL = r"(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|NOTICE|TRACE)"
_DATE = r"(?:\d{4}[-/.]\d\d[-/.]\d\d|\d{1,2}[-/ ][A-Z][a-z]{2}(?:[-/ ]\d{4})?|[A-Z][a-z]{2}\s+\d{1,2}|\d\d[-/]\d\d(?:[-/]\d{2,4})?)"
_CLOCK = r"\d\d?:\d\d(?::\d\d)?(?:[.,]\d+)?(?:\s?[AP]M)?"
_PREFIXES = [
    re.compile(pattern)
    for pattern in (
        r"[IWEF]\d{4} [\d:.]+\s+\d+ [\w./-]+:\d+\]\s*",  # glog
        rf"\[?(?:{_DATE}[ T,]\s*)?{_CLOCK}\]?(?![\w%])[\s,;|:>-]*",
        rf"[\[(<]?\b{_LEVEL}\b[\])>]?\s*[:|>-]*\s*",
        rf"{_LEVEL}:[\w.-]+:\s*",
        r"__main__(?: - |:\s*)",
        r"[\[(](?:[\w./-]+\.py(?::\d+)?|line[ :]?\d+|rank\s?\d+|[\w.]+:\d+|GPU\s?\d+|Trial \d+|\d+/\d+)[\])][\s:,-]*",
        r"\(\w+ pid=\d+\)\s*",
        r"wandb:\s+",
        r"(?:[\w.]+ - )(?=(?:DEBUG|INFO|WARNING|ERROR) - )",
        r"[\w./-]+\.(?:py|cpp|cc):\d+[\])]?[\s:|-]+",
        r"[\s•*✅🏁🎯➜►▶»]+(?=\S)",
    )
]
_BAR = re.compile(
    r"(?<!\d)\d{1,3}(?:\.\d{1,3})?%\s?\|[^|]{0,400}\|\s{0,9}(?:[^\s/]{1,20}/\S{1,20})?\s{0,9}(?:\[[^\]]{0,200}?\d+:\d\d(?P<after>[^\]]{0,2000})\])?"
)
_ARROW = r"(?:--+>|->|=+>|→|⇒|➔|⟶)"
_BEFORE_ARROW = re.compile(rf"(?:\bfrom\s+)?(?:{NUMBER})\s?%?\s*(?:{_ARROW}|\bto\b)\s*(?={NUMBER})", re.IGNORECASE)
_STARRED = re.compile(r"\s*\*\s+(?:Acc|Prec)@1")
"""How the training scripts for ImageNet mark the result of a whole evaluation."""
_SPEED = re.compile(
    r"(?<![\w.])[\d.]+\s?(?:m?s|[a-z]+)/(?:s|sec|it|step|batch|epoch|sample|img|image)\b", re.IGNORECASE
)
_SPARK = re.compile(r"[▁▂▃▄▅▆▇█]{2,}")


def lines_of(text: str) -> Iterator[str]:
    """The lines of a text without colour codes. Each state of a progress bar is a line of its own."""
    for line in re.split(r"[\r\n]+", text):
        clean = _ESCAPES.sub("", line).replace("\b", "").replace("\u00a0", " ").rstrip()
        if clean:
            yield clean


def without_frame(line: str) -> str:
    """The line without a logger's date, level and place, and without the bar of a progress bar: its label and postfix stay."""
    if _STARRED.match(line):
        line = re.sub(r"(?:\*\s+)?((?:Acc|Prec)@)", r"final \1", line)
    for _ in range(6):
        for prefix in _PREFIXES:
            found = prefix.match(line)
            if found and found.end() < len(line):
                line = line[found.end() :]
                break
        else:
            break
    return _SPEED.sub(" ", _SPARK.sub(" ", _without_bar(line)))


def _without_bar(line: str) -> str:
    found = _BAR.search(line) if "%" in line and "|" in line else None
    if found is None:
        return line
    after = (found["after"] or "").partition(",")[2]
    return f"{line[: found.start()].rstrip(' :')}  {_no_speed(after)}{line[found.end() :]}"


def _no_speed(text: str) -> str:
    """The postfix of a bar, without how fast it is."""
    return re.sub(r"^\s*[\d.?]+\s?\w+/\w+\s*,?", "", text.partition("<")[2] if text.startswith("<") else text)


def after_arrows(line: str) -> str:
    """`41.2 → 38.7` and `from 0.5 to 0.6` as the number at the end."""
    return _BEFORE_ARROW.sub(" ", line)


def number(text: str) -> float:
    """The value of what `NUMBER` matched, or of a number with a decimal comma."""
    text = text.replace("$", "").replace("−", "-").replace(" ", "")
    if re.fullmatch(r"[-+]?(?:0,\d+|\d+,\d{1,2})", text):
        text = text.replace(",", ".")
    return float(text.replace(",", ""))
