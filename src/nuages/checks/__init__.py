"""Findings about an app and its objects. Pure."""
