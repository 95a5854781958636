"""Keeps uploaded files in S3, or in anything that speaks like it."""
