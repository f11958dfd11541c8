"""Rules of a talk with an agent: silence, minutes, dead air, who is there at all, what was done already. Pure."""
