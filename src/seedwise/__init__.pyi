from .api.check import check
from .api.compare import compare, compare_many, compare_tasks
from .api.control import Ledger, Predictions, SeedError, State, Streams, log, seed_everything, seeded
from .api.function import run
from .api.plan import expected_best, plan
from .api.script import run_script
from .api.select import against_threshold, select
from .api.summary import summarize
from .api.variance import by_step, cross_validated, noise_of_test_set, step_scores, variance_components
from .decisions import Comparison, Decision, Plan, Ranking, TaskRanking
from .errors import SeedwiseError
from .experiments.loading import load
from .metrics.goals import Goal
from .results import Results, Run, Scores, Status, Summary

__version__: str

__all__ = [
    "Comparison",
    "Decision",
    "Goal",
    "Ledger",
    "Plan",
    "Predictions",
    "Ranking",
    "Results",
    "Run",
    "Scores",
    "SeedError",
    "SeedwiseError",
    "State",
    "Status",
    "Streams",
    "Summary",
    "TaskRanking",
    "against_threshold",
    "by_step",
    "check",
    "compare",
    "compare_many",
    "compare_tasks",
    "cross_validated",
    "expected_best",
    "load",
    "log",
    "noise_of_test_set",
    "plan",
    "run",
    "run_script",
    "seed_everything",
    "seeded",
    "select",
    "step_scores",
    "summarize",
    "variance_components",
]
