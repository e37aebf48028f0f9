"""Scene — what stands before the lens."""
