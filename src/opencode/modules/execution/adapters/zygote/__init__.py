"""
The process that makes cells, and what goes on inside them until a program takes over.

A zygote is started once for each kind of cell. It builds a read-only root, and forks a cell whenever it is asked for
one; a cell sets up walls of its own and then waits for its work. Everything here runs outside the server, also under
the Python that a cell's program will run on: it needs the standard library only, of Python 3.9 or later.
"""
