"""What execution needs of the machine: bubblewrap, control groups, seccomp, toolchains, processes."""
