"""Did it work, and why not: verdicts per kind, what is still waited for, and the cause of a failure."""
