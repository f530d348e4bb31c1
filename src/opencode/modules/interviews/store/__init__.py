"""The tables of interviews and their SQL. What comes out are structs of `domain`."""
