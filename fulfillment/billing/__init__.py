"""Card payments through Stripe, refunds, disputes, invoices, and the clearing account's bookkeeping."""
