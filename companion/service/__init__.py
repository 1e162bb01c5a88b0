"""The running device: switches, health, and what systemd is told."""
