"""Data stores have a life of their own, longer than any release: what they are, what would change, and changing it."""
