"""Full-size proofs that `make test` leaves out and `make test-long` runs."""
