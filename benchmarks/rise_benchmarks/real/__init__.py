"""`rise bench real`: experiments with real models and problems, one recipe file each."""
