"""The events as they come in, which kinds there are, and everything that one person did."""
