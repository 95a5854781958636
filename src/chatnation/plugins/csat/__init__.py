"""The scores and comments that people give, over time and by journey."""
