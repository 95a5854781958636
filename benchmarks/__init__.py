"""How fast the product is, as ratios against the raw limit of the same machine, measured side by side in one run."""
