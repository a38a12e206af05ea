"""How long nuages takes, each time beside a peer or the least that is possible, measured in one run on one machine."""
