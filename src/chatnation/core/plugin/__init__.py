"""How plugins are found, checked, ordered, called and contained."""
