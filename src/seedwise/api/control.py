"""Control of randomness in this process.

The same functions work in the process of a run, where only the guest is loaded.
"""

from seedwise_guest import Ledger, Predictions, SeedError, State, Streams, log, seed_everything, seeded

__all__ = ["Ledger", "Predictions", "SeedError", "State", "Streams", "log", "seed_everything", "seeded"]
