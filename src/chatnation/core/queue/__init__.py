"""The log between collector and processor."""
