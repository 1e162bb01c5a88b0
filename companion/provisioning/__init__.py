"""What the installer's companion.toml on the card becomes."""
