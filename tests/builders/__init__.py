"""Typed builders, one module per slice: sane defaults, real services."""
