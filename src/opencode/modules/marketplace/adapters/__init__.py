"""What the marketplace reads through: the index of the catalogue."""
