"""What starting values do to a network: gradients, symmetry, dead units, basins, and how seeds differ."""

from .result import Course, Diagnosis, Finding, LayerReport, PathBetween, Trouble

__all__ = ["Course", "Diagnosis", "Finding", "LayerReport", "PathBetween", "Trouble"]
