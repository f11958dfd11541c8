"""What a caller says and presses, outside of a talk with an agent."""
