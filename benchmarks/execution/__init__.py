"""How long a person who presses Run waits for a program of one line."""
