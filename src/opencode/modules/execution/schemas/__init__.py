"""The Piston dialect as data: what requests say, which runtimes there are, and what is answered."""
