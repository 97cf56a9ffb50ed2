"""SQL in, records and columns out: one file a noun, and SQL nowhere else."""
