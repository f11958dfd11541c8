"""Conducts one call in its job: joins, waits for the answer, does what the call's stop says, asks control for the next
stop, hangs up, tells what happened.

`script` decides, `conductor` acts. An agent that talks is behind `port`: what it may use of a call and what it must offer;
the agents themselves live in the package `agents`, on livekit-agents, which nothing here knows. Every other act is a pure
machine of `gateway.calls`: `house` performs it by `perform`, with the tools that `tools` names – a speaker, legs, a line, a
recorder, a listener.
"""
