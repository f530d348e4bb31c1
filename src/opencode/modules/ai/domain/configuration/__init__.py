"""
The configuration of AI: files that people write, as one checked value.

`jsonc` reads a text and remembers where each value stands; `layers` puts several texts on top of each other;
`substitution` fills in variables and files; `model` says what there may be; `checking` finds all that is wrong.
"""
