"""Plain characters in place of those that an encoding lacks: `±` becomes `+/-` where a locale has only ASCII."""

import codecs
from collections.abc import Mapping
from types import MappingProxyType

PLAIN: Mapping[str, str] = MappingProxyType(
    {
        **{"±": "+/-", "…": "...", "–": "-", "—": "-", "−": "-", "→": "->", "←": "<-", "×": "x", "·": "*", "’": "'"},
        **{
            "≤": "<=",
            "≥": ">=",
            "≠": "!=",
            "½": "1/2",
            "√": "sqrt ",
            "²": "^2",
            "δ": "delta",
            "γ": "gamma",
            "σ": "sigma",
        },
        **{"▁": ".", "▂": ":", "▃": "-", "▄": "=", "▅": "+", "▆": "*", "▇": "%", "█": "#", "▕": "|", "▏": "|"},
        **{"━": "=", "╸": "=", "╺": "-", "─": "-", "│": "|", "•": "*", "✓": "ok", "✗": "x", "�": "?", "x̄": "mean"},
    }
)

NAME = "seedwise-plain"
"""The name under which `register` makes the replacement known to Python's streams."""


def in_encoding(text: str, encoding: str | None) -> str:
    """The text with plain characters in place of those that `encoding` lacks. None lacks none."""
    if encoding is None or text.isascii():
        return text
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return "".join(c if _has(encoding, c) else PLAIN.get(c, "?") for c in text)
    return text


def _has(encoding: str, character: str) -> bool:
    try:
        character.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def register() -> str:
    """Make the replacement known as an error handler of Python's codecs, and return its name."""

    def handle(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeEncodeError):
            raise error
        return "".join(PLAIN.get(c, "?") for c in error.object[error.start : error.end]), error.end

    codecs.register_error(NAME, handle)
    return NAME
