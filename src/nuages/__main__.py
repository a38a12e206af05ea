"""`python -m nuages`."""

from nuages.cli import main

main()
