"""What follows from a spec in one environment: components, time-outs, connections. Pure."""
