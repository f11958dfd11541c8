"""LiveKit's bus: PSRPC over Redis pub/sub, spoken so that an unmodified livekit-server takes us for livekit-sip.

    async with connect(redis_url) as bus:                    # Unavailable when Redis can't be reached
        bus.connected                                        # False while Redis is away; it reconnects by itself
        async with Client(bus, "IOInfo") as client:
            answer = await client.call("GetSIPTrunkAuthentication", request)     # bytes of protobuf both ways
        async with Server(bus, "SIPInternal") as server:
            await server.register("CreateSIPParticipant", handler)

- `wire`: the protobuf messages, declared from tables of their fields.
- `envelope`: the four messages of PSRPC itself, as values; `channels`: the names of its Redis channels. Both pure.
- `port`: what a bus is; `transport`: the one on Redis; `memory`: one within a process.
- `client` and `server`: the two ends of a call.
- `ioinfo`: what a SIP service asks livekit-server, typed. `callstate`: what SIP services tell, heard passively.
- `errors`: every failure of the bus.

A call, as seen on Redis: the client publishes a Request; each server bids with a Claim; the client publishes a Grant
that names one of them; that one handles the request and publishes a Response. Every wait has a bound.
"""
