"""From a command and seeds to results: experiment identity, supervisor, store, worlds. Renders nothing."""
