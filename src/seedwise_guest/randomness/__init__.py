"""Randomness in one process: seeding every library, streams derived by name, and the ledger of all generators."""
