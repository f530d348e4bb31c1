"""What execution needs of the machine: cells and what makes them, control groups, toolchains, processes."""
