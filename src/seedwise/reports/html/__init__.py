"""The report as one page that works without a server and without a network."""
