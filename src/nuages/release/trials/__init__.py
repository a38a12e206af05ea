"""A set beside the release that serves: canary and blue-green."""
