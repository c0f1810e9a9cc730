"""From a command and seeds to results: supervisor, attempts, executors, forked runs, and when to stop.

Prints nothing.
"""
