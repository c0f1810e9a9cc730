"""Arrays in, frozen results out. Knows nothing of runs, files or seeds."""

from .describe import Description, describe, interquartile_mean, t_interval

__all__ = ["Description", "describe", "interquartile_mean", "t_interval"]
