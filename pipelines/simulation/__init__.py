"""Synthetic studies with known truth: the example, and the same people as three survey systems deliver them."""
