"""What `check` has in a process: a ledger that only looks, perturbations, and records of steps and operations."""
