"""What was done by whom: written down, sealed, shown."""
