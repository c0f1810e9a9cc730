"""Reads the traces of checked processes: compares two, finds the first difference, names its cause, proposes a fix."""

from ..places import short_place, with_short_place, without_place
from .causes import Cause, Fix, fix_for, set_order_line
from .compare import Difference, Verdict, compare
from .finding import Check, Outcome, Tried, sentence_of
from .localise import Divergence, Reason, localise
from .trace import Trace

__all__ = [
    "Cause",
    "Check",
    "Difference",
    "Divergence",
    "Fix",
    "Outcome",
    "Reason",
    "Trace",
    "Tried",
    "Verdict",
    "compare",
    "fix_for",
    "localise",
    "sentence_of",
    "set_order_line",
    "short_place",
    "with_short_place",
    "without_place",
]
