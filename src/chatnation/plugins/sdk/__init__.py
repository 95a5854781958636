"""Serves the browser tracker, and the text that puts it on a site."""
