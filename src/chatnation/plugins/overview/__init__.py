"""How many sessions and persons there were, when, with what, and where they looked."""
