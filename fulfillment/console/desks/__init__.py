"""A module for every desk: its pages and the acts behind their buttons."""
