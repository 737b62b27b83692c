"""Calling parts from suppliers, taking them in, and agreeing to their invoices."""
