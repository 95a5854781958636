"""Counts keywords in inbound WhatsApp messages."""
