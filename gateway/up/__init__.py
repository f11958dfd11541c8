"""Everything on one machine: which servers and processes run, in which order, and what the operator sees of them."""
