"""Imported once, in the process that agents' jobs are forked from: what the house plays, at the rate of the agents' voice.

Where the house has no worker, an agents' job performs for it. Starts no thread, loop or socket.
"""

from __future__ import annotations

from gateway.app.job import RATES
from gateway.conduct import warm
from gateway.terms.call import Pool

warm.make(RATES[Pool.AGENTS])
