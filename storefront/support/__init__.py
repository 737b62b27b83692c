"""Support by service tag: what a machine is and has inside, for whoever holds it in his hands."""
