"""Pure rules, without a database."""
