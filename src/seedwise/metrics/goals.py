"""Whether more or less of a metric is better, guessed from its name."""

import re

from ..results import Goal

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


_GENERIC = frozenset("score scores return returns correlation cost distance residual objective gap value".split())
"""Words that give way to any other telling word: `brier_score` is a Brier loss."""
_ABOUT_SPREAD = frozenset(
    "std sd stdev var variance sem drop reduction improvement change delta diff difference ci".split()
)
_SIZES = frozenset(
    "size sizes steps samples ratio split n num number count batch batches images rows file dir freq interval iters iterations epochs every period only".split()
)


def guess_goal(name: str) -> Goal | None:
    """The goal that a metric's name tells, or None.

    The last telling word decides, a specific one before a generic one: `score_loss` is a loss, `fid_score` an FID.
    `neg_` and `minus` turn it round; the name of a spread or a change tells nothing.
    """
    parts = words(name)
    if set(parts) & _ABOUT_SPREAD:
        return None
    specific = [word for word in parts if word in _LESS | _MORE and word not in _GENERIC]
    generic = [word for word in parts if word in _LESS | _MORE]
    telling = specific or generic
    if {"davies", "bouldin"} <= set(parts):
        return Goal.MIN
    if not telling:
        return None
    less = telling[-1] in _LESS
    if set(parts) & {"neg", "negative", "minus"} and telling[-1] != "nll":
        less = not less
    return Goal.MIN if less else Goal.MAX


def looks_like_metric(name: str) -> bool:
    """Whether a name says by itself that it measures success."""
    parts = set(words(name))
    if parts & _SIZES:
        return False
    return bool(parts & (METRIC_WORDS | _ALSO_METRICS))


METRIC_WORDS = _LESS | _MORE
"""Words that name a measure of success."""
