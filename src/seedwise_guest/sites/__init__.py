"""Seed sites: the places in the user's own source where a seed is typed, and putting another number there.

`names` decides what a seed is called, `finder` reads the source, `plan` gives each site its value under seed s, and
`substitute` loads the edited text in the processes of a run.
"""
