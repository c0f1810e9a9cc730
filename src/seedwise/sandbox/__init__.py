"""Runs do not share files.

Each run has a *world*, a private view of the files. If the system allows none, the folder is put back after each run.
"""
