"""The command `rise doctor`: what of this machine works, and what to do about the rest."""
