"""`make bench`: what the house can do, as medians of interleaved rounds, on SQLite and on PostgreSQL side by side."""
