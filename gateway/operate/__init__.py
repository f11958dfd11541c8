"""What operators do with a running gateway: put plans in force, override them for a while, ask what would be."""
