"""Pure rules: commands, state, decide, evolve, one file a noun."""
