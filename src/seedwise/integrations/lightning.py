"""The callback that logs metrics into the run.

Its code is in the guest, so that it is available in every environment.
"""

from seedwise_guest.loggers.lightning import LogMetrics

__all__ = ["LogMetrics"]
