"""Checkout: who buys, where it goes, what it comes to, and the way to the payment page and back."""
