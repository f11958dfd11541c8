"""Who takes calls: members of teams, their lines, and whom to ring next."""
