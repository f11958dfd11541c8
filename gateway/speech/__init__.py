"""The local speech server: hearing, speaking and a form-filling dialogue model, offline, behind known protocols.

`/v1/listen` speaks Deepgram's protocol, `/v1/audio/speech`, `/v1/chat/completions` and `/v1/models` OpenAI's, so that
an agent written for those services runs unchanged without a key or a network. It is the offline default and the last
link of every provider chain: it understands English, guided conversations and spoken numbers; for open conversation
use the services themselves.
"""
