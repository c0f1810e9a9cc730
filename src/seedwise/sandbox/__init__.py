"""Runs do not share files: each has a *world*, a private view of them. Where the system allows none, the folder is put back after each run."""
