"""The shop window: machines, their data and comparison, accessories, search."""
