"""Thin bridges to other tools; each is loaded only when asked for."""
