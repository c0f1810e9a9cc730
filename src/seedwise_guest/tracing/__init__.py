"""What `check` puts into a process: a ledger that changes nothing, interventions, and records.

It records steps and operations.
"""
