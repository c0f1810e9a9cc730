"""The only place that wires the parts together."""
