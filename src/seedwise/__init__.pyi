from . import batched as batched
from .api.check import check
from .api.compare import compare
from .api.control import Ledger, Predictions, SeedError, State, Streams, log, seed_everything, seeded
from .api.decompose import Decomposition, decompose
from .api.diagnose import diagnose
from .api.ensembles import ensemble
from .api.families import Family, load_family
from .api.function import run
from .api.grid import run_grid
from .api.over_tasks import normalise, summarize_tasks
from .api.plan import expected_best, plan
from .api.plan_sources import PlanOfSources, plan_sources
from .api.rankings import compare_many, compare_tasks
from .api.script import run_script
from .api.select import against_threshold, select
from .api.summary import summarize
from .api.variance import by_step, cross_validated, noise_of_test_set, step_scores, variance_components
from .decisions import Against, Choice, Comparison, Decision, OverTasks, Plan, Ranking, TaskRanking
from .determinism import Check
from .diagnostics import Diagnosis
from .errors import MetricError, ScriptError, SeedwiseError, StoreError, UsageError
from .experiments.loading import load
from .reports.ensembles import Ensemble
from .results import Cause, Goal, Metric, Reduce, Results, Run, RunsFailedError, Scores, Series, Status, Summary

__version__: str

__all__ = [
    "Against",
    "Cause",
    "Check",
    "Choice",
    "Comparison",
    "Decision",
    "Decomposition",
    "Diagnosis",
    "Ensemble",
    "Family",
    "Goal",
    "Ledger",
    "Metric",
    "MetricError",
    "OverTasks",
    "Plan",
    "PlanOfSources",
    "Predictions",
    "Ranking",
    "Reduce",
    "Results",
    "Run",
    "RunsFailedError",
    "Scores",
    "ScriptError",
    "SeedError",
    "SeedwiseError",
    "Series",
    "State",
    "Status",
    "StoreError",
    "Streams",
    "Summary",
    "TaskRanking",
    "UsageError",
    "against_threshold",
    "batched",
    "by_step",
    "check",
    "compare",
    "compare_many",
    "compare_tasks",
    "cross_validated",
    "decompose",
    "diagnose",
    "ensemble",
    "expected_best",
    "load",
    "load_family",
    "log",
    "noise_of_test_set",
    "normalise",
    "plan",
    "plan_sources",
    "run",
    "run_grid",
    "run_script",
    "seed_everything",
    "seeded",
    "select",
    "step_scores",
    "summarize",
    "summarize_tasks",
    "variance_components",
]
