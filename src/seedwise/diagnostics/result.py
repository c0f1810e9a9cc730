"""What a diagnosis found: frozen, and with a sentence."""

from dataclasses import dataclass, replace
from enum import StrEnum

from ..decisions import Answer
from ..stats import Agreement


class Trouble(StrEnum):
    """What can be wrong with starting values."""

    VANISHING = "vanishing gradients"
    EXPLODING = "exploding gradients"
    DIVERGED = "diverged"
    IDENTICAL = "identical units"
    DEAD = "dead units"
    SATURATED = "saturated units"
    BASINS = "different basins"
    FLAT = "flat stretches"
    STUCK = "seeds that do not arrive"
    DISAGREEMENT = "predictions that hang on the seed"


class Saturates(StrEnum):
    """What of a layer is saturated."""

    UNITS = "units"
    GATES = "gates"
    ATTENTION = "attention"


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes
    ----------
    trouble
        What.
    where
        The layer, or the pair of seeds; "" if it is the whole network.
    seeds
        Under which seeds.
    value, threshold
        The measure that was beyond its threshold (in the median over these seeds), and that threshold.
    sentence
        The same in words.
    """

    trouble: Trouble
    where: str
    seeds: tuple[int, ...]
    value: float
    threshold: float
    sentence: str


@dataclass(frozen=True)
class LayerReport:
    """One layer, in the median over seeds.

    Attributes
    ----------
    gradient_at_start, gradient_at_end
        Gradient of the loss with respect to the layer's outputs, over that of the last layer.
    units
        How many units (output features, channels) there are.
    identical
        Units that had an exact copy at the start and still have one at the end.
    dead
        Share of units that no example's gradient reaches at the end. None where even the last layer has none left.
    saturated
        Share of the outputs of the tanh or sigmoid behind the layer, of its gates, or of its rows of attention (`what` says
        which), that are saturated at the start; None without one.
    through_time
        A recurrent layer: the gradient of the first of `steps` steps over that of the last one, at the start.
    """

    name: str
    gradient_at_start: float | None
    gradient_at_end: float | None
    units: int
    identical: int
    dead: float | None
    saturated: float | None
    what: Saturates = Saturates.UNITS
    through_time: float | None = None
    steps: int = 0


@dataclass(frozen=True)
class PathBetween:
    """The loss along the straight line from one seed's solution to another's.

    `barrier` is how far it rises above the line between both ends' losses, over what training gained.
    """

    seeds: tuple[int, int]
    losses: tuple[float, ...]
    barrier: float


@dataclass(frozen=True)
class Course:
    """The training of one seed.

    Attributes
    ----------
    losses
        Loss on all training data: before training, and after each epoch. Shorter if it became NaN or infinite.
    needed
        The epoch by which the loss had come 95 % of the way of a median seed; None if it never did.
    flat
        Flat stretches (first epoch, last epoch) after which the loss fell again.
    """

    seed: int
    losses: tuple[float, ...]
    needed: int | None
    flat: tuple[tuple[int, int], ...]
    diverged: bool


@dataclass(frozen=True, repr=False)
class Diagnosis(Answer):
    """What starting values do to a network, under several seeds.

    Attributes
    ----------
    seeds
        Under which the network was trained.
    findings
        What was found; each says what, where, and what to do.
    layers
        Gradients, copies of units and saturation of each layer, in the median over seeds.
    courses
        The training under each seed: losses by epoch.
    paths
        The loss along the straight line between each two solutions.
    agreement
        On how many examples the runs predict the same; None for one seed.
    labels
        Whether the targets are classes.
    sentence
        The answer in words.
    """

    seeds: tuple[int, ...]
    findings: tuple[Finding, ...]
    layers: tuple[LayerReport, ...]
    courses: tuple[Course, ...]
    paths: tuple[PathBetween, ...]
    agreement: Agreement | None
    labels: bool
    data: str = "training"
    """The examples on which predictions were compared: `training` or `test`."""
    sentence: str = ""
    learned_little: bool = False
    """Whether training gained so little that there are no solutions to compare."""

    def has(self, trouble: Trouble | str) -> bool:
        """Whether this was found."""
        return any(finding.trouble == trouble for finding in self.findings)

    def saying(self, sentence: str) -> "Diagnosis":
        """The same with its sentence."""
        return replace(self, sentence=sentence)
