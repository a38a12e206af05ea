"""Project to OCI image, and images as files."""
