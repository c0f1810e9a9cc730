"""Which metric leads: the one that a researcher would report. Where two are equally likely, the user is asked.

In this order: what is not about the training data; a score before a loss; test before validation before what does not say,
unless that is a final result, printed once, where the others run along; the measure that its field reports first (accuracy
before F1, F1 before precision and recall, mean IoU before accuracy, top 1 before top 5). Two of different kinds that are alike
in all of this are a question: recall or NDCG, R² or RMSE.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from .goals import METRIC_WORDS, TEST, TRAIN, VALIDATION, looks_like_metric, says_more, words

_LOSSES = frozenset(
    "loss losses cost nll objective energy elbo bce ce crossentropy kl entropy divergence hinge likelihood verlust 损失 deviance".split()
)
_FAMILIES = {
    "accuracy": "acc accuracy accuracies top1 top5 correct genauigkeit 准确率 精度 正确率 bacc macc aacc",
    "error rate": "err error errors misclassified mistakes wrong fehlerrate 错误率",
    "f": "f1 fb1 fscore fbeta hmean",
    "overlap": "iou miou miu jaccard",
    "dice": "dice mdice",
    "auc": "auc auroc aucroc rocauc roc",
    "pr": "ap auprc aucpr prauc",
    "error": "mse rmse mae mape smape mase nmse nrmse rse rrmse msle rmsle absrel sqrel wql nd p50 p90 误差 residual",
    "r2": "r2 determination",
    "reward": "reward rewards rew return returns ret 奖励 fitness",
    "success": "success solved win wins won",
    "perplexity": "perplexity ppl bpb bpd bpc",
    "hits": "hit hits",
    "information criterion": "aic bic hqic",
}
_FAMILY = {word: family for family, members in _FAMILIES.items() for word in members.split()}
_RANK = {
    **dict.fromkeys("iou miou miu dice mdice map owa success solved fid frechet wer uas hmean won".split(), -1.0),
    **dict.fromkeys("auc auroc aucroc rocauc roc fpr95 fitness".split(), 0.3),
    **dict.fromkeys(
        "mse rmse mae mape smape mase nmse nrmse rse rrmse msle rmsle absrel r2 determination residual".split(), 0.4
    ),
    **dict.fromkeys("f1 fb1 fscore fbeta exact em".split(), 0.5),
    **dict.fromkeys("ap auprc aucpr prauc kappa mcc hit hits ece brier meteor rougelsum logloss".split(), 0.7),
    **dict.fromkeys("score scores value correct performance".split(), 0.9),
    **dict.fromkeys(
        "precision recall specificity sensitivity tpr tnr fpr fnr top5 aic bic hqic cer ser mindcf ssim lpips gap mr hd95 "
        "latency coverage distance regret pearson gini ks residual mce likelihood las a1 a2 a3 p90 nd sqrel".split(),
        1.5,
    ),
}
_MOST_ASKED = 4
_RANKING = frozenset("ndcg mrr hr".split())
_AT_K = re.compile(r"(?:recall|precision|ndcg|hits?|hr|mrr|\b[pr])_?(?:@|at_?)\d", re.IGNORECASE)
_IN_RANKINGS = {"recall": 0.1, "precision": 0.1, "ndcg": 0.1, "hr": 0.1, "map": 0.1, "mrr": 0.0}
"""Beside measures of ranking, recall is one too."""
_IN_SEARCH = {"mrr": 0.1}
_WITH_F = dict.fromkeys("f1 fb1 fscore fbeta".split(), -0.5)
"""F1 leads where precision and recall stand beside it: detection, tagging."""
_SUMMARY = frozenset("best final overall full".split())
_ENDS = frozenset(
    "max min maximum minimum worst highest lowest std median raw adj adjusted last baseline byte before target chance initial random".split()
)
_FEW = frozenset("avg average mean".split())


@dataclass(frozen=True, order=True)
class Place:
    """Where a metric stands among the others: smaller comes first."""

    no_measure: bool
    training: bool
    loss: int
    part: float
    rank: float
    running: int
    ends: int
    more: bool
    kinds: int


def part_of(name: str) -> str:
    """The data that a name speaks of: `test`, `val`, `train`, or "" where it does not say."""
    parts = set(words(name))
    if parts & TEST:
        return "test" if not parts & TRAIN else "train"  # `train/test: 0.99 0.9`: the first number was read
    if parts & VALIDATION:
        return "val"
    return "train" if parts & TRAIN else ""


def order(names: Sequence[str], once: Collection[str]) -> tuple[list[str], tuple[str, ...]]:
    """The names with the headline first, and those that are equally likely to be it (none if there is no doubt).

    Parameters
    ----------
    names
        As they were printed, in the order in which they came.
    once
        Those that every run printed once: the others are series.
    """
    every = {word for name in names for word in words(name)}
    is_ranking = bool(every & _RANKING) or any(_AT_K.search(name) for name in names)
    plain = {word for name in names if not {"macro", "micro", "weighted"} & set(words(name)) for word in words(name)}
    has_f = {"precision", "recall"} <= plain and not is_ranking
    is_search = is_ranking and bool(every & {"ndcg", "recall"})
    running = any(name not in once for name in names)
    ranks = {
        **_RANK,
        **(_IN_RANKINGS if is_ranking else {}),
        **(_IN_SEARCH if is_search else {}),
        **(_WITH_F if has_f else {}),
    }
    places = {name: _place(name, name in once, running, ranks) for name in names}
    ordered = sorted(names, key=lambda name: places[name])
    if not ordered:
        return [], ()
    if places[ordered[0]].no_measure:  # not one of them says that it measures success
        return ordered, tuple(ordered[:_MOST_ASKED]) if len(ordered) > 1 else ()
    first = [name for name in ordered if places[name] == places[ordered[0]]]
    first.sort(key=lambda name: (_at(name, is_ranking), names.index(name)))
    ordered[: len(first)] = first
    kind = str if places[first[0]].more else _kind  # `env0_acc` and `env1_acc` are of one kind, and not the same
    different = {kind(name): name for name in reversed(first)}
    return ordered, tuple(dict.fromkeys(different[kind(name)] for name in first)) if len(different) > 1 else ()


def _place(name: str, once: bool, running: bool, ranks: Mapping[str, float]) -> Place:
    parts = words(name)
    known = set(parts)
    part = part_of(name)
    measures = [word for word in parts if word in METRIC_WORDS]
    loss = 1 if (measures or says_more(name)) and all(word in _LOSSES for word in measures) else 0
    final = once and running
    best = bool(known & _SUMMARY)
    rank = min((ranks.get(word, 0.0) for word in measures), default=2.0)
    if known & {"error", "err"} and known & {"top5"}:
        rank = 1.5
    of = {"test": 0.0 if once else 0.3, "val": 1.0, "": 0.25 if final else 0.35 if best else 2.0, "train": 3.0}
    return Place(
        no_measure=not looks_like_metric(name) or name == "value",  # a number without a name leads only alone
        training=part == "train",
        loss=loss,
        part=of[part],
        rank=rank,
        running=0 if best else 1 if once else 2,
        ends=2 if known & _ENDS else 0 if known & _FEW and rank == 0 else 1,
        more=says_more(name),
        kinds=len({_FAMILY.get(word, word) for word in measures}),
    )


def _kind(name: str) -> str:
    """What sort of measure it is; names of one sort ask no question."""
    measures = [word for word in words(name) if word in METRIC_WORDS]
    if measures and all(word in _LOSSES for word in measures):
        return " ".join(word for word in words(name) if word not in TRAIN | TEST | VALIDATION)
    telling = [_FAMILY.get(word, word) for word in measures if word not in ("score", "scores", "exact")] or measures
    return telling[-1] if telling else name


def _at(name: str, is_ranking: bool) -> float:
    """The k of `acc@1`, `top5`: the smaller one leads; of rankings, `ndcg@10` is what is reported."""
    if re.search(r"50[-:_](?:0\.)?95", name):  # COCO's mean over thresholds
        return 0.0
    found = re.search(r"(?:@|top[-_]?|at[-_]?|acc|map|ap)(\d+)", name)
    if found is None:
        return 0.0
    return abs(float(found[1]) - 10) if is_ranking else float(found[1])
