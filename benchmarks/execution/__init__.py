"""Running programs, measured: how long, how many, beside what, and what is left behind."""
