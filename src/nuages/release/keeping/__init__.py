"""What keeps data: backups and restores, another password, what exists nowhere else."""
