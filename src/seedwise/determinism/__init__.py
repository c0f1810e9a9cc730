"""Reads traces of checked processes: compares two, finds the first difference, names its cause, proposes a fix."""

from .causes import Cause, Fix, set_order_line
from .compare import Difference, Verdict, compare
from .localise import Divergence, localise
from .trace import Trace

__all__ = ["Cause", "Difference", "Divergence", "Fix", "Trace", "Verdict", "compare", "localise", "set_order_line"]
