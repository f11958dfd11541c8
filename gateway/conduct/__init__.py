"""Conducts one call in its job: joins, waits for the answer, lets an agent converse, hangs up, tells what happened.

`script` decides, `conductor` acts. What an agent may use of a call and what it must offer is `port`; the agents
themselves live in the package `agents`, on livekit-agents, which nothing here knows.
"""
