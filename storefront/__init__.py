"""The shop: the public way in for customers."""
