"""The owner's page: one page for a parent's telephone, served by the unit, closed unless its owner opens it."""
