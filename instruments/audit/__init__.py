"""Which rule do totals that came with the data obey? Each is computed again from its items; nothing is repaired."""

from instruments.audit.results import DeliveryGap, RuleFinding, ScoreAudit
from instruments.audit.totals import audit_responses, audit_scores
from instruments.audit.turned_items import find_turned_items

__all__ = ["DeliveryGap", "RuleFinding", "ScoreAudit", "audit_responses", "audit_scores", "find_turned_items"]
