"""The other phones of a call: whom a job rings, by the one way out, and what it knows and hears of them."""
