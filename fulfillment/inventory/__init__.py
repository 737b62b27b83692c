"""What lies on the shelf, whom it is kept for, what is on its way, and by when a part can be here."""
