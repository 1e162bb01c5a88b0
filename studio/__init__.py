"""What a maker runs at a desk. It uses `companion` and is never installed on a unit."""
