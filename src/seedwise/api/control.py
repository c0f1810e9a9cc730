"""Control of randomness in this process; the same functions work in a run's process, where only the guest is loaded."""

from seedwise_guest import Ledger, Predictions, SeedError, State, Streams, log, seed_everything, seeded

__all__ = ["Ledger", "Predictions", "SeedError", "State", "Streams", "log", "seed_everything", "seeded"]
