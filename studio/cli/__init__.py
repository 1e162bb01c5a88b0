"""The maker's commands, which the entry-point group `companion.commands` adds to the command line of `companion`."""
