"""Finding projects, measured: how fast, among how many, beside what."""
