"""Which numbers of what a script printed or logged are its results, and which way is better."""
