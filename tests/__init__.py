"""The suite: unit, integration, e2e, faults, bench, and the rules of the house."""
