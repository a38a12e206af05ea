"""What the user declares: nuages.yaml, its model, its schema, and every mistake in it with its place. Pure but for
reading the file.
"""
