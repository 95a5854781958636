"""Deletes for good what should not be deleted by accident, and keeps a copy."""
