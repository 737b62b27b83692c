"""What can be built, for how much and by when."""
