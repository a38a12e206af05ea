"""The phases of a release, in order, readable as a story."""
