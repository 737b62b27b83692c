"""A customer's own pages: sign up and in, orders, quotes, addresses, details."""
