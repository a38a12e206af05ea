"""A real Kubernetes on this machine: built from checksummed Go modules, run in namespaces of its own."""
