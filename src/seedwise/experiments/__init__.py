"""What an experiment is: its command, its seed sites, its identity, and the store that keeps it."""
