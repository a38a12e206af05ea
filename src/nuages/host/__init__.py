"""What nuages does with the machine it runs on: programs, processes, lock files, folders."""
