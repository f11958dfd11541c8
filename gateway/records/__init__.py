"""Records: what stays of a call. Events of the stream become rows of calls, turns, leads, tickets and callbacks.

`model` decides (pure), `schema` names the tables, `writer` writes them exactly once, `store` asks for them,
`migrations` holds the schema's history.
"""
