"""The company behind the counter: what is sold, built, shipped, returned and booked."""
