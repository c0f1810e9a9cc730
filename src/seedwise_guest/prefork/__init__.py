"""Forked runs: one process executes the script's first lines once and forks one child for each seed.

The child executes the rest.

The process executes the first lines one after another, in the script's own namespace (`prologue`). It watches them
while they run (`watch`). It stops before the first line that could differ from run to run; the children go on there.

The process talks to its host over a pipe (`forking_process`). A child becomes a run (`children`) and exits as Python
does (`exiting`). A fresh run reports what it imports after those lines (`late_imports`), so that these modules may be
imported before the fork too.

The host checks whether a forked run equals a fresh one: it compares both on the user's own script.
"""
