"""Whether more or less of a metric is better, guessed from its name."""

import re
from enum import StrEnum


class Goal(StrEnum):
    """Which end of a metric is the better one."""

    MIN = "min"
    MAX = "max"


_LESS = frozenset(
    "loss losses err error errors mse rmse mae mape nll perplexity ppl wer cer fid bpb bpd bce ce entropy kl "
    "divergence regret cost distance brier ece logloss deviance aic bic rmsle msle mape smape lpips residual "
    "objective energy gap nmse hinge chi2 misclassified mistakes wrong".split()
)
_MORE = frozenset(
    "acc accuracy accuracies f1 fscore auc auroc auprc roc ap map iou miou dice bleu rouge meteor cider r2 score "
    "scores reward rewards return returns precision recall psnr ssim kappa mcc ndcg mrr hit hits top1 top5 "
    "correct win wins fitness specificity sensitivity likelihood elbo jaccard silhouette correlation pearson "
    "spearman modularity balanced".split()
)
_ALSO_METRICS = frozenset("value metric result test val valid validation eval performance quality".split())

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+\d*|[a-z]\d+|\d+")


def words(name: str) -> list[str]:
    """The words of a metric's name, lower case."""
    name = re.sub(r"R\^?2|R²", "r2 ", name, flags=re.IGNORECASE)
    return [word.lower() for word in _WORD.findall(name)]


def guess_goal(name: str) -> Goal | None:
    """The goal that a metric's name tells, or None. The last telling word decides: `score_loss` is a loss."""
    found = None
    parts = words(name)
    for word in parts:
        if word in _LESS:
            found = Goal.MIN
        elif word in _MORE:
            found = Goal.MAX
    if found is Goal.MAX and any(word in ("neg", "negative", "minus") for word in parts):
        return Goal.MIN
    if found is Goal.MAX and "log" in parts and "likelihood" in parts and "negative" in parts:
        return Goal.MIN
    return found


def looks_like_metric(name: str) -> bool:
    """Whether a name says by itself that it measures success."""
    return guess_goal(name) is not None or any(word in _ALSO_METRICS for word in words(name))


METRIC_WORDS = _LESS | _MORE
