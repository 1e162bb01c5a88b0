"""The maker's tools, which run at a desk. They use `companion` and are never installed on a unit."""
