"""Arrays go in, frozen results come out. These modules know nothing about runs, files or seeds.

The docstring of each function says which formula it computes and where the formula comes from.
"""

from .aso import AlmostDominance, almost_dominates
from .comparing_power import detectable_by_comparison, fewest, power_of_comparison, smallest_p
from .components import (
    Component,
    Components,
    MultiBootstrap,
    TestSetNoise,
    crossed_components,
    multi_bootstrap,
    noise_of_test_set,
)
from .crossvalidation import CrossValidated, corrected_resampled_t
from .describe import Description, describe, interquartile_mean, share_interval, t_interval
from .lottery import Estimator, Selection, best_of_weights, expected_best, select, wrong_winner
from .many import (
    Friedman,
    bonferroni,
    critical_difference,
    friedman,
    holm,
    holm_of_exclusive,
    signed_rank_sum,
    wilcoxon,
)
from .planning import Design, detectable, power, seeds_for, seeds_for_margin, seeds_for_superiority
from .resampling import Bootstrap, Method, Statistic, bootstrap
from .sequential import (
    Stein,
    TimeUniform,
    betting_sequence,
    error_when_looking,
    forecast,
    p_at_any_time,
    stein,
    t_sequence,
    t_sequence_half,
)
from .tasks import Aggregate, Improvement, Over, Profile, aggregate, improvement, performance_profile
from .threshold import ThresholdTest, against_threshold
from .two_samples import (
    Difference,
    Permutation,
    Spreads,
    Superiority,
    compare_spreads,
    difference,
    equivalence,
    permutation_test,
    superiority,
)

__all__ = [
    "Aggregate",
    "AlmostDominance",
    "Bootstrap",
    "Component",
    "Components",
    "CrossValidated",
    "Description",
    "Design",
    "Difference",
    "Estimator",
    "Friedman",
    "Improvement",
    "Method",
    "MultiBootstrap",
    "Over",
    "Permutation",
    "Profile",
    "Selection",
    "Spreads",
    "Statistic",
    "Stein",
    "Superiority",
    "TestSetNoise",
    "ThresholdTest",
    "TimeUniform",
    "against_threshold",
    "aggregate",
    "almost_dominates",
    "best_of_weights",
    "betting_sequence",
    "bonferroni",
    "bootstrap",
    "compare_spreads",
    "corrected_resampled_t",
    "critical_difference",
    "crossed_components",
    "describe",
    "detectable",
    "detectable_by_comparison",
    "difference",
    "equivalence",
    "error_when_looking",
    "expected_best",
    "fewest",
    "forecast",
    "friedman",
    "holm",
    "holm_of_exclusive",
    "improvement",
    "interquartile_mean",
    "multi_bootstrap",
    "noise_of_test_set",
    "p_at_any_time",
    "performance_profile",
    "permutation_test",
    "power",
    "power_of_comparison",
    "seeds_for",
    "seeds_for_margin",
    "seeds_for_superiority",
    "select",
    "share_interval",
    "signed_rank_sum",
    "smallest_p",
    "stein",
    "superiority",
    "t_interval",
    "t_sequence",
    "t_sequence_half",
    "wilcoxon",
    "wrong_winner",
]
