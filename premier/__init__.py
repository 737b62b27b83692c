"""Premier: a shop of its own for every company (its slices land with the Premier issue)."""
