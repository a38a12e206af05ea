"""Migrations beside code that runs: their classes, their plan, and how they are applied."""
