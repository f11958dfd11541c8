"""Brings callers and jobs together: routes a call that arrives, dispatches a job, sends another when it doesn't come,
and tells how the call ended.

Hints come from everywhere (the SIP service's call states on Redis, LiveKit's webhooks, a look at the rooms every two
seconds) and may come late, twice or never; the call store makes one winner of them, also among replicas.
"""
