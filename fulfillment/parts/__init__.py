"""What machines are made of and what is sold beside them, and who delivers it."""
