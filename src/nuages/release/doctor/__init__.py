"""What works between here and a cluster, what not, and the cure: nothing is changed by looking."""
