"""Visits: what one visitor did without a pause of half an hour."""
