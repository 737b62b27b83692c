"""What every slice stands on: database, money, clock, ids, events, jobs, settings, web base."""
