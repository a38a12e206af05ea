"""App and release in, plain Kubernetes objects out. Pure."""
