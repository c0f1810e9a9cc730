"""A process of a run: how Seedwise enters it, whatever launched it, and what the process tells its host."""
