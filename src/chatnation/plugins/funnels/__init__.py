"""How many people go through the steps of a journey, where they drop off, how long it takes, and who they are."""
