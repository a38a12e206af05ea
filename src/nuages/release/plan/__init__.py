"""What a deploy would do, before it does: `make` asks, the rest is pure. Nothing in the cluster is changed."""
