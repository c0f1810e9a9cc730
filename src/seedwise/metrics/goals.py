"""What the words of a metric's name say: whether more or less is better, and whether it measures success at all."""

import re
from functools import lru_cache

from ..results import Goal

_LESS = frozenset(
    "loss losses err error errors mse rmse mae mape nll perplexity ppl wer cer ser fid bpb bpd bpc bce ce crossentropy entropy "
    "kl divergence regret cost distance brier ece mce logloss deviance aic bic hqic rmsle msle mape smape mase owa lpips residual "
    "objective energy gap nmse nrmse rse rrmse hinge chi2 misclassified mistakes wrong eer mindcf fpr95 fpr fnr fdr latency "
    "epe crps nd wql wquantileloss hd95 hausdorff chamfer absrel sqrel p50 p90 mr verlust fehler fehlerrate asr mpjpe rmsd "
    "frechet 损失 误差 错误率".split()
)
_MORE = frozenset(
    "acc accuracy accuracies f1 fb1 fscore fbeta auc auroc aucroc rocauc auprc aucpr prauc roc ap map iou miou miu dice mdice bleu "
    "sacrebleu rouge rougel rougelsum meteor cider chrf spice r2 score scores reward rewards rew return returns ret precision recall "
    "rouge1 rouge2 rouge3 bleu1 bleu2 bleu3 bleu4 pass psnr ssim kappa mcc ndcg mrr hit hits hr top1 top5 correct win wins won fitness specificity sensitivity likelihood elbo jaccard "
    "silhouette correlation pearson spearman kendall modularity balanced success solved nmi ari ami hmean gini sharpe coverage em "
    "exact uas las sdr sisdr sdri snr pesq stoi pck pckh cindex concordance tpr tnr ks coherence genauigkeit treffer "
    "bacc macc aacc determination 准确率 精度 正确率 奖励 得分".split()
)
_ALSO_METRICS = frozenset("value metric result test val valid validation eval evaluation performance quality".split())
"""Words that make a name sound like a result without naming a measure."""

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+\d*|[a-z]\d+|\d+|[^\W\d_a-zA-Z]+")

_GENERIC = frozenset(
    "score scores return returns correlation cost distance residual objective gap value correct balanced exact likelihood "
    "energy entropy coverage performance".split()
)
"""Words that give way to any other telling word: `brier_score` is a Brier loss."""
_ABOUT_SPREAD = frozenset(
    "std stddev sd stdev stderr sem var variance drop reduction improvement change delta diff difference ci forgetting spread".split()
)
SETTINGS = frozenset(
    "size sizes steps samples ratio split n num number count batch batches images rows file dir freq interval iters iterations "
    "epochs every period only coef coeff coefs weight weights weighting scale scaling class classes type mode name smoothing threshold clip "
    "clipping warmup patience decay momentum gamma alpha beta eps epsilon lambda tau temperature dropout margin factor limit "
    "bound start init initial schedule power penalty reduction_mode support param params parameters parameter len length hidden dim "
    "dims width depth layers heads capacity buffer seed seeds bins window horizon padding lr learning workers threads observations".split()
)
"""Words of settings, sizes and counts: a name with one of these is no measure of success, whatever else it says."""
RATES = frozenset(
    "sps fps throughput speed mfu tflops flops ips qps bandwidth mem memory gb mb mib gib vram cpu ram util utilization".split()
)
"""Words of how fast or how large a run is."""
DURATIONS = frozenset(
    "time times elapsed eta duration seconds secs sec ms minutes min hours runtime took walltime 耗时 tottime s".split()
) - {"min", "s"}
TRAIN = frozenset("train training trn tr fit fitted learn 训练集 训练".split())
TEST = frozenset("test testing tst testset holdout unseen 测试集 测试 testdaten".split())
VALIDATION = frozenset("val valid validation dev eval evaluation validate vali valset cv 验证集 验证".split())
_FILLERS = frozenset(
    "best final last overall total mean average avg macro micro weighted ema running current set data on of over at in for the per "
    "model epoch mean max min ep eps episode episodes full all so far global median top k m n ood clean robust highest lowest "
    "raw adj adjusted multiple pseudo root absolute square squared percentage relative percent pct".split()
)
"""Words that say which one of a measure it is, and nothing else."""
METRIC_WORDS = _LESS | _MORE
"""Words that name a measure of success."""
TELLING = METRIC_WORDS - _GENERIC
"""Those that mean nothing else."""
_VOCABULARY = (
    METRIC_WORDS
    | TRAIN
    | TEST
    | VALIDATION
    | {*"average avg mean max min std ep ewma best final last len length total set log cross".split()}
)


@lru_cache(maxsize=4096)
def words(name: str) -> tuple[str, ...]:
    """The words of a metric's name, lower case; words that were written together are taken apart: `eprewmean`."""
    for pattern, short in _PHRASES:
        name = pattern.sub(short + " ", name)
    name = re.sub(r"(?i)(?<![a-z])([pr])@", lambda m: {"p": "precision@", "r": "recall@"}[m[1].lower()], name)
    found: list[str] = []
    for word in (part.lower() for part in _WORD.findall(name)):
        found.extend([word] if word in _KNOWN else _apart(word) or _numbered(word))
    return tuple(found)


_PHRASES = [
    (re.compile(pattern.replace(" ", r"[-_ ]?"), re.IGNORECASE), short)
    for pattern, short in (
        (r"R squared|R\^?2(?![0-9])|R²", "r2"),
        (r"(?<![a-z])f (?:score|measure|1)(?![0-9])", "f1"),
        (r"c index", "cindex"),
        (r"top 1(?![0-9])", "top1"),
        (r"top 5(?![0-9])", "top5"),
        (r"si sdr", "sisdr"),
        (r"root mean (?:squared?) error", "rmse"),
        (r"mean (?:squared?) error", "mse"),
        (r"mean absolute percentage error", "mape"),
        (r"mean absolute error", "mae"),
        (r"mean average precision", "map"),
        (r"average precision", "ap"),
        (r"residual standard error", "residual"),
        (r"fr[eé]chet inception distance", "fid"),
        (r"abs rel", "absrel"),
        (r"sq rel", "sqrel"),
    )
]
_KNOWN = _VOCABULARY | SETTINGS | RATES | DURATIONS | _FILLERS | _GENERIC | _ALSO_METRICS | _ABOUT_SPREAD


def _apart(word: str) -> list[str]:
    """The known words of which a word is made, at least two; [] if it is not made of such."""
    ways: dict[int, list[str]] = {0: []}
    for end in range(2, len(word) + 1):
        for start in sorted(ways):
            if word[start:end] in _VOCABULARY and end not in ways:
                ways[end] = [*ways[start], word[start:end]]
    found = ways.get(len(word), [])
    return found if len(found) > 1 else []


def _numbered(word: str) -> list[str]:
    """`map50` as `map`, `50`."""
    found = re.fullmatch(r"([a-z]+?)(\d+)", word)
    return [found[1], found[2]] if found and found[1] in METRIC_WORDS else [word]


def guess_goal(name: str) -> Goal | None:
    """The goal that a metric's name tells, or None.

    The last telling word decides, a specific one before a generic one: `score_loss` is a loss, `fid_score` an FID,
    `error_top1` an error. `neg_`, `minus` and `1-` turn it round; the name of a spread or a change tells nothing, nor does
    the gap of what is better when it is larger (`accuracy_gap`: between whom?).
    """
    parts = words(name)
    if parts[:2] == ("time", "to"):
        return Goal.MIN
    if set(parts) & _ABOUT_SPREAD or set(parts) & SETTINGS & {"coef", "coeff", "target", "class", "threshold"}:
        return None
    if {"davies", "bouldin"} <= set(parts):
        return Goal.MIN
    if {"explained", "calinski"} & set(parts):
        return Goal.MAX
    specific = [word for word in parts if word in METRIC_WORDS and word not in _GENERIC]
    errors = [word for word in specific if word in ("err", "error", "errors", "loss", "losses")]
    telling = errors or specific or [word for word in parts if word in METRIC_WORDS]
    if not telling or ("gap" in parts and specific):
        return None
    less = telling[-1] in _LESS
    if telling[-1] == "r2" and "error" in parts:
        less = False
    if (set(parts) & {"neg", "negative", "minus"} and telling[-1] != "nll") or re.match(r"1\s*[-–−]", name):
        less = not less
    return Goal.MIN if less else Goal.MAX


_SHARES = frozenset(
    "acc accuracy accuracies f1 fb1 fscore fbeta auc auroc aucroc rocauc auprc aucpr prauc ap map iou miou dice mdice precision recall "
    "ndcg mrr hit hits hr top1 top5 success sensitivity specificity jaccard hmean em uas las bacc macc aacc tpr tnr fpr".split()
)
_NOT_NEGATIVE = frozenset(
    "rmse mse mae mape smape rmsle msle error err wer cer eer fid perplexity ppl brier ece distance latency".split()
)


def bounds_of(name: str, low: float, high: float) -> tuple[float, float] | None:
    """Between which numbers the scores of a metric can lie, as its name and its scores (from `low` to `high`) tell.

    None where nothing is evident. A share is one of 1, or one of 100 where a score is above 1.
    """
    parts = set(words(name))
    if parts & _ABOUT_SPREAD or parts & {"neg", "negative", "minus"}:
        return None
    if parts & _SHARES and low >= 0 and high <= 100:
        return 0.0, 1.0 if high <= 1 else 100.0
    return (0.0, float("inf")) if parts & _NOT_NEGATIVE and low >= 0 else None


def looks_like_metric(name: str) -> bool:
    """Whether a name says by itself that it measures success."""
    parts = set(words(name))
    if words(name)[:2] == ("time", "to"):
        return False
    if parts & (SETTINGS | RATES | DURATIONS) and not _measured(parts):
        return False
    return bool(parts & (METRIC_WORDS | _ALSO_METRICS))


def _measured(parts: set[str]) -> bool:
    """Whether a word of a setting belongs to the measure: `coefficient of determination`, `batch_loss`."""
    return bool(parts & METRIC_WORDS) and parts & (SETTINGS | RATES | DURATIONS) <= {
        "batch",
        "samples",
        "images",
        "weighted",
        "time",
    }


def says_more(name: str) -> bool:
    """Whether a name has words that belong neither to a measure nor to what it was measured on: `cost_class`."""
    return any(not word.isdigit() and word not in _KNOWN - SETTINGS for word in words(name))
