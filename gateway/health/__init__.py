"""How the providers of hearing, thinking and speaking do, known to every call: one outage is found out once."""
