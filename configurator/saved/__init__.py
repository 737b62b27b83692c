"""Configurations that are kept: shared by a short link, named in an account, put side by side."""
