"""A process of a run: how Seedwise enters it, whatever program launched it, and what the process tells its host."""
