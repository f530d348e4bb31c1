"""
Runs other people's programs. Each stage of a run gets a cell of its own: no network, no files of the host but a
read-only toolchain, no identity, and limits on time, memory, processes and output. The cell is used once and thrown
away, and what the program prints is passed on while it runs. Without a sandbox nothing is run at all.
"""
