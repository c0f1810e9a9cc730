"""The callback that logs metrics into the run; its home is the guest, so that it is there in every environment."""

from seedwise_guest.loggers.ignite import LogMetrics

__all__ = ["LogMetrics"]
