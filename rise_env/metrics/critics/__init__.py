"""How good the scores of a critic are: ranking within problems and over all, and calibration."""
