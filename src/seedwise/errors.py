"""The errors a person can do something about. Each message says what was wrong, where, and what to do."""


class SeedwiseError(Exception):
    """Anything that Seedwise refuses or cannot do."""


class UsageError(SeedwiseError):
    """The call or command line asks for something that does not exist or contradicts itself."""


class ScriptError(SeedwiseError):
    """The command to be run cannot be started, read or entered."""


class StoreError(SeedwiseError):
    """The store cannot be opened, read or written."""


class MetricError(SeedwiseError):
    """A metric is not there, or is not a number."""
