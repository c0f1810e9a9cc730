"""A page on this machine that shows runs while they go on. It reads, and nothing on it starts, stops or deletes."""
