"""Going back: whether an earlier release's code can live with the database as it is, and bringing it back."""
