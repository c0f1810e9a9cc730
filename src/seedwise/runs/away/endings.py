"""What becomes of seeds without a record when their chunk is over: given out again, failed, or left to the user."""

from dataclasses import dataclass
from enum import Enum

from ...results import Cause
from ..executors import Fate, Standing
from .journal import FULL, NOT_SEEN, UNFIT, End


class Again(Enum):
    """Whether seeds are given out again."""

    YES = 1
    NO = 2


@dataclass(frozen=True)
class Decision:
    """What becomes of the seeds.

    `words` say why. With `cause_of_running`, the seeds that were running have failed of it. With `stops`, nothing more is
    submitted.
    """

    again: Again
    words: str
    cause_of_running: Cause | None = None
    stops: bool = False


def what_to_do(standing: Standing, end: End | None, why: str, log: str) -> Decision:
    """Decide about the seeds of a chunk.

    Parameters
    ----------
    end, why
        What the worker told at its end; None if it was not able to.
    log
        The last line that it printed.
    """
    job = f"job {standing.job}" if standing.job else "its worker"
    where = f" on {standing.node}" if standing.node else ""
    if end is End.UNFIT or standing.status == UNFIT:
        return Decision(Again.NO, f"{job}{where} cannot run these seeds: {why or log}", stops=True)
    if end is End.FULL or standing.status == FULL:
        return Decision(Again.NO, why or log or f"{job}{where} cannot write the shared folder", stops=True)
    if standing.status == NOT_SEEN:
        return Decision(Again.NO, f"{job}{where} does not see the shared folder: {log}", stops=True)
    if end is End.STOPPED:
        return Decision(Again.NO, why, stops=True)
    if standing.fate is Fate.CANCELLED:
        return Decision(Again.NO, f"{job} was cancelled{f' ({standing.detail})' if standing.detail else ''}")
    if standing.fate is Fate.OUT_OF_MEMORY:
        words = f"{job}{where} ran out of the memory that it had asked for"
        return Decision(Again.YES, words, cause_of_running=Cause.MEMORY)
    words = {
        Fate.PREEMPTED: f"{job}{where} was preempted",
        Fate.NODE_FAILED: f"{job}: its node{where} failed",
        Fate.TIMED_OUT: f"{job}{where} reached its time limit",
        Fate.DONE: f"{job}{where} gave its seeds back",
        Fate.LOST: f"{job}{where} is gone, and its engine does not say how",
    }.get(standing.fate, f"{job}{where} ended with {_status(standing)}" + (f": {log}" if log else ""))
    if standing.fate is Fate.TIMED_OUT and end is None:
        return Decision(Again.YES, words, cause_of_running=Cause.TIMEOUT)
    return Decision(Again.YES, words)


def _status(standing: Standing) -> str:
    return standing.detail or (f"exit status {standing.status}" if standing.status is not None else "an error")
