"""`companion chat`: the mind of a device in the terminal."""
