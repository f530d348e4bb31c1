"""How much a shared edit costs the server, how fast it travels, and what a room weighs."""
