"""Reads a Django project from its files, without importing any of it into the tool."""
