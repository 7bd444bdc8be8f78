"""DeepSpeed configurations of ZeRO stages 0 to 3, as package data."""
