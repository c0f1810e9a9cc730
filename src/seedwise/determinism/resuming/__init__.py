"""`check --resume`: is a training that was interrupted, and went on from a checkpoint, the one that was not interrupted?"""

from .answer import Resumed, Resuming
from .examination import ResumeExamination
from .words import Lost

__all__ = ["Lost", "ResumeExamination", "Resumed", "Resuming"]
