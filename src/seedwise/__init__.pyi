from . import batched as batched
from .api.check import check
from .api.compare import compare
from .api.control import Ledger, Predictions, SeedError, State, Streams, log, seed_everything, seeded
from .api.decompose import decompose
from .api.diagnose import diagnose
from .api.ensembles import ensemble
from .api.families import load_family
from .api.folds import cross_validated
from .api.function import run
from .api.grid import run_grid
from .api.over_tasks import normalise, summarize_tasks
from .api.plan import expected_best, plan
from .api.plan_sources import plan_sources
from .api.rankings import compare_many, compare_tasks
from .api.resume import check_resume, check_resume_script
from .api.script import run_script
from .api.search import finalists, objective
from .api.select import against_threshold, select
from .api.summary import summarize
from .api.variance import by_step, noise_of_test_set, step_scores, variance_components
from .decisions import Against, Choice, Comparison, Decision, OverTasks, Plan, Ranking, TaskRanking
from .determinism import Check
from .determinism.resuming import Resuming
from .diagnostics import Diagnosis
from .errors import MetricError, ScriptError, SeedwiseError, StoreError, UsageError
from .experiments.loading import load
from .reports.decomposition import Decomposition
from .reports.ensembles import Ensemble
from .reports.family import Family
from .reports.plan_sources import PlanOfSources
from .results import Cause, Goal, Metric, Reduce, Results, Run, RunsFailedError, Scores, Series, Status, Summary
from .runs.executors.choosing import where

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
    "Resuming",
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
    "check_resume",
    "check_resume_script",
    "compare",
    "compare_many",
    "compare_tasks",
    "cross_validated",
    "decompose",
    "diagnose",
    "ensemble",
    "expected_best",
    "finalists",
    "load",
    "load_family",
    "log",
    "noise_of_test_set",
    "normalise",
    "objective",
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
    "where",
]
