from .api.control import Ledger, Predictions, SeedError, State, Streams, log, seed_everything, seeded
from .api.function import run
from .api.load import load
from .api.script import run_script
from .api.summary import summarize
from .errors import SeedwiseError
from .goals import Goal
from .results import Results, Run, Scores, Status, Summary

__version__: str

__all__ = [
    "Goal",
    "Ledger",
    "Predictions",
    "Results",
    "Run",
    "Scores",
    "SeedError",
    "SeedwiseError",
    "State",
    "Status",
    "Streams",
    "Summary",
    "load",
    "log",
    "run",
    "run_script",
    "seed_everything",
    "seeded",
    "summarize",
]
