"""How fast the mixed models are, and whether their intervals hold what they promise. Not part of the package."""
