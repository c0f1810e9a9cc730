"""Forked runs: a process executes the script's first lines once, and forks one child for each seed, which goes on from there.

The first lines are executed as what they are, in their order, in the script's own namespace (`prologue`), and watched while
they run (`watch`): the last line before the first that could differ from run to run is where the children go on. The process
talks with its host over a pipe (`process`); a child becomes a run (`children`) and leaves as Python does (`leaving`). What
a fresh run imports after those lines is announced (`announcing`), and may be imported before the fork too. Whether a forked run
is what a fresh one is, the host finds out by comparing both on the user's own script.
"""
