"""Instruments in the formats of other systems, and answers that come back in them."""
