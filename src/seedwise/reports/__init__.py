"""Saying it: sentences, tables, pictures and the live display."""
