"""Errors that the user can do something about. Each message says what was wrong, where, and what to do."""


class SeedwiseError(Exception):
    """Everything that Seedwise refuses or cannot do."""


class UsageError(SeedwiseError):
    """The call or command line asks for something that does not exist, or contradicts itself."""


class ScriptError(SeedwiseError):
    """The command cannot be started or read, or Seedwise cannot enter it."""


class StoreError(SeedwiseError):
    """The store cannot be opened, read or written."""


class MetricError(SeedwiseError):
    """A metric does not exist, or is not a number."""


class Interrupted(SeedwiseError):
    """Somebody interrupted it; the message says what is saved and how it goes on."""
