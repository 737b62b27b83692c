"""Order status: found by number and a proof, or in one's account; it tells what the events say, nothing else."""
