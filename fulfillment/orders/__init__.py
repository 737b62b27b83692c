"""The order book: what was sold to whom at which figures, where it stands, and what the customer is told."""
