"""Files that people and programs upload, and the links that open them."""
