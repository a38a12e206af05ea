"""Real Django projects, unchanged, from init to their answers: `python -m tests.corpus`."""
