"""A Stripe-compatible payment provider for one shop, run as a process of its own.

The shop's code is the same against Stripe and against this: the official SDK speaks HTTP to either.
What a request may contain is read from the installed SDK (`contract`), everything the shop owns at the
provider lives in one SQLite file (`state`), and `/_sim/` lets a test break things on purpose (`control`).
"""
