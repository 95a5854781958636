"""Mails: composed, queued with what made them necessary, sent, and shown."""
