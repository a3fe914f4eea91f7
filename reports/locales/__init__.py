"""Message catalogues, one PO file a language; English stands in the code."""
