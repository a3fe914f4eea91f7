"""Interviews: what coders found in excerpts of what people said, and what of it may be quoted."""
