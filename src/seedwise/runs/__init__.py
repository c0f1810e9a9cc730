"""From a command and seeds to results: supervisor, attempts, processes, forked runs, executors, and when to stop.

Prints nothing.
"""
