"""SIP over UDP: `gateway.sip` on a socket and the event loop's clock.

    class Edge:                                             # any object with this method is a Handler
        async def on_request(self, incoming: Incoming) -> None: ...

    async with serve("127.0.0.1", 5060, Edge()) as sip:     # SetupFault when the port can't be had
        sip.address                                          # ("127.0.0.1", 5060), the real port after asking for 0

        # client: INVITE
        async with sip.send(invite, destination) as sending:
            async for response in sending:                   # 100, 180, 200 … ends after a final one
                ...                                          # TransactionFailed: 408 no answer, 503 nobody there
            dialog = Dialog.uac(invite, response)
            sending.acknowledge(dialog.ack(), dialog.destination)
        # Leaving the block early cancels the INVITE; a 2xx that nobody acknowledged gets ACK and BYE by itself.

        # client: anything else
        final = await sip.request(dialog.request("BYE"), dialog.destination)

`on_request` runs in a task of its own for each request but ACK and CANCEL:

        incoming.request, .source, .tag                      # tag: our To tag of every response
        incoming.respond(180)                                # any number of 1xx, one final
        incoming.abandoned                                   # asyncio.Event: CANCEL came, or the caller's address died
        incoming.respond(487)                                # the INVITE's answer to that, the handler's to give
        ok = incoming.respond(200, body=sdp, content_type="application/sdp", contact="sip:…")
        ack = await incoming.acknowledged()                  # the 200 is repeated meanwhile; NotAcknowledged after 32 s
        dialog = Dialog.uas(incoming.request, ok)

A handler that raises an OffhookError or ends without a final response gets its request answered with the error's
sip_status, or 500.
"""
