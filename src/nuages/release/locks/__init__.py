"""One at a time: the lock of an environment, who holds it, who waits for it."""
