from .api.check import check
from .api.compare import compare
from .api.control import Ledger, Predictions, SeedError, State, Streams, log, seed_everything, seeded
from .api.function import run
from .api.plan import expected_best, plan
from .api.rankings import compare_many, compare_tasks
from .api.script import run_script
from .api.select import against_threshold, select
from .api.summary import summarize
from .api.variance import by_step, cross_validated, noise_of_test_set, step_scores, variance_components
from .decisions import Comparison, Decision, Plan, Ranking, TaskRanking
from .errors import MetricError, ScriptError, SeedwiseError, StoreError, UsageError
from .experiments.loading import load
from .results import Goal, Results, Run, RunsFailedError, Scores, Status, Summary

__version__: str

__all__ = [
    "Comparison",
    "Decision",
    "Goal",
    "Ledger",
    "MetricError",
    "Plan",
    "Predictions",
    "Ranking",
    "Results",
    "Run",
    "RunsFailedError",
    "Scores",
    "ScriptError",
    "SeedError",
    "SeedwiseError",
    "State",
    "Status",
    "StoreError",
    "Streams",
    "Summary",
    "TaskRanking",
    "UsageError",
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
