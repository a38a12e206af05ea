"""What each phase does, a file each; engine.py has their order."""
