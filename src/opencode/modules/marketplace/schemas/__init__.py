"""
What goes in and out over HTTP, a file for each file of `routes`.

Bodies only say what kind of thing a field is. How long and how many, `domain` says, for all fields at once.
"""
