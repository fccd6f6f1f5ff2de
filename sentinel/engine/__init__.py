"""engine: one round as a function, the same live and in rehearsal."""
