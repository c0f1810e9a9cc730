"""Presents answers: sentences, tables, pictures and the live display."""
