"""The machines of what the house does with a caller, one an act, and the words they are told in (`cues`). Pure."""
