"""The maker's commands, which join the command line of `companion`."""
