"""The cart: configured machines and plain items, kept on our side, known by a cookie."""
