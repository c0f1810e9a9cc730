"""Runs do not share files: which isolation this system allows, and a tree put back where it allows none."""
