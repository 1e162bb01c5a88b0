"""The daemon: control socket, status and metrics, watchdog, and systemd integration."""
