"""What do the questions measure? Definitions of instruments as YAML, and one engine that scores them all."""

from instruments.describing import explain_scoring
from instruments.errors import InstrumentError
from instruments.loading import load_instrument, load_library
from instruments.model import AllowedValues, Instrument, Item, Measure
from instruments.scoring import score_responses

__all__ = [
    "AllowedValues",
    "Instrument",
    "InstrumentError",
    "Item",
    "Measure",
    "explain_scoring",
    "load_instrument",
    "load_library",
    "score_responses",
]
