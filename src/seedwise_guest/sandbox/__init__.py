"""A private copy-on-write view of the user's files for each run.

Also the guard that cleans up after a supervisor was killed.
"""
