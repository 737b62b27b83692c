"""Who buys and who works here: accounts, addresses, staff and what each may do."""
