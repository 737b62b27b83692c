"""The whole house on one machine: every process started and stopped together, and one order told as a story."""
