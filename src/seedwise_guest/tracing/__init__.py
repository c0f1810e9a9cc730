"""What `check` puts into a process: a passive ledger, interventions, and records of steps and operations."""
