"""routing: whom to tell, grouped how, and why now or why not; pure.

Here stands the policy, all that configuration needs; who decides by it imports `tell`, `telling` and `adopt`.
"""

from sentinel.routing.match import Match
from sentinel.routing.route import Escalation, Inhibition, Mute, Policy, Route

__all__ = [
    "Escalation",
    "Inhibition",
    "Match",
    "Mute",
    "Policy",
    "Route",
]
