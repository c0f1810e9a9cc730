"""The headings of `--help`: what commands are for, and what options are about."""

from cyclopts import Group

RUNNING = Group("Run", sort_key=1)
LOOKING = Group("Look at what was run", sort_key=2)
DECIDING = Group("Say what the numbers mean", sort_key=3)
REST = Group("More", sort_key=4)

SEEDS = Group("Which seeds, and when to stop", sort_key=1)
MEASURED = Group("What is measured", sort_key=2)
SETTINGS = Group("Settings and other commands", sort_key=3)
PLACES = Group("Where the seed goes", sort_key=4)
HOW = Group("How runs are done", sort_key=5)
FILES = Group("Files and network of each run", sort_key=6)
STORED = Group("The experiment and its store", sort_key=7)
IN_FILE = Group("Where things are in a FILE", sort_key=8)
TASKS = Group("Over several tasks", sort_key=9)
PRINTED = Group("What is printed", sort_key=10)
ELSEWHERE = Group("Beyond this machine", sort_key=6)
