"""What do the questions measure? Definitions of instruments as YAML, and one engine that scores them all."""

from instruments.describing import explain_scoring
from instruments.errors import InstrumentError
from instruments.loading import load_instrument, load_library
from instruments.model import Instrument
from instruments.parts import AllowedValues, Item, Measure
from instruments.scoring import score_responses, score_wide
from instruments.variants import apply_variants

__all__ = [
    "AllowedValues",
    "Instrument",
    "InstrumentError",
    "Item",
    "Measure",
    "apply_variants",
    "explain_scoring",
    "load_instrument",
    "load_library",
    "score_responses",
    "score_wide",
]
