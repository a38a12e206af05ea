"""Rendered objects, by their golden files and by what must hold for all of them."""
