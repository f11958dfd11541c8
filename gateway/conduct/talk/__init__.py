"""An agent that talks with a caller, and the border that it sees of us."""
