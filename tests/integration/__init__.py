"""Slices on a real database."""
