"""`nuages dev`: a project in the cluster, edited here. What runs in the pod is nuages_runtime.dev."""
