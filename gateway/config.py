"""Settings of every process, from the environment. One reader, so that a name means the same everywhere.

The names of the field are kept (LIVEKIT_URL, REDIS_URL, DEEPGRAM_API_KEY …); what is ours starts with OFFHOOK_.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from gateway.errors import SetupFault
from gateway.terms.times import SILENT_FOR


class Settings(BaseModel):
    """What a process needs to know of its surroundings. Ports of 0 mean: none, don't serve it."""

    model_config = ConfigDict(frozen=True)

    livekit_url: str = Field("ws://127.0.0.1:7880", alias="LIVEKIT_URL")
    livekit_api_key: str = Field("", alias="LIVEKIT_API_KEY")
    livekit_api_secret: SecretStr = Field(SecretStr(""), alias="LIVEKIT_API_SECRET")
    secret: SecretStr = Field(SecretStr(""), alias="OFFHOOK_SECRET")
    """What sealed digits are sealed with, the same for every process; "" for LiveKit's secret. What was sealed with
    another can't be opened any more."""
    sip_outbound_trunk: str = Field("", alias="LIVEKIT_SIP_OUTBOUND_TRUNK")
    """Id or name of the outbound trunk for plain numbers; "" for the one that the trunk file marks so."""
    redis_url: SecretStr = Field(SecretStr("redis://127.0.0.1:6379/0"), alias="REDIS_URL")
    database_url: SecretStr = Field(SecretStr(""), alias="DATABASE_URL")
    """SQLAlchemy URL; "" for SQLite in `state`."""
    state: Path = Field(Path(".offhook"), alias="OFFHOOK_STATE")
    """Directory of the database, prompts and the run file that `up` writes."""
    messages_directory: Path | None = Field(None, alias="OFFHOOK_MESSAGES")
    """Directory of the messages that callers leave; None for one in `state`. Workers and control share it: name one that
    all machines see where they run on several."""
    public_url: str = Field("", alias="OFFHOOK_PUBLIC_URL")
    """Base address under which people reach control's HTTP endpoint, for links to messages; "" for its own."""
    livekit_public_url: str = Field("", alias="OFFHOOK_LIVEKIT_PUBLIC_URL")
    """How browsers reach LiveKit (wss://…), for those who take calls there; "" for LIVEKIT_URL."""
    browser_client: Path | None = Field(None, alias="OFFHOOK_BROWSER_CLIENT")
    """livekit-client's livekit-client.umd.js, for those browsers; None for where set-up has put it."""
    smtp_url: SecretStr = Field(SecretStr(""), alias="OFFHOOK_SMTP_URL")
    """The mail server, as apprise writes it: mailtos://USER:PASSWORD@HOST:587?from=offhook@example.com (mailto:// for one
    without TLS); "" for none."""
    webhook_secret: SecretStr = Field(SecretStr(""), alias="OFFHOOK_WEBHOOK_SECRET")
    """What webhooks are signed with, as Standard Webhooks has it: whsec_ and base64 of 24 to 64 bytes; several with spaces
    between them sign each, so that a secret can be changed without a gap. "" for webhooks without a signature."""
    leads_told_to: SecretStr = Field(SecretStr(""), alias="OFFHOOK_LEADS_TO")
    """Addresses that every lead is told to, beside those of the plan, with spaces between them: mailto:, https:, sms:+1…,
    hubspot:, salesforce:, pipedrive:, or as apprise has it; "" for none."""
    twilio_sid: str = Field("", alias="TWILIO_ACCOUNT_SID")
    twilio_token: SecretStr = Field(SecretStr(""), alias="TWILIO_AUTH_TOKEN")
    sms_from: str = Field("", alias="OFFHOOK_SMS_FROM")
    """Whom SMS come from: a number of the Twilio account, E.164, or a messaging service of its (MG…)."""
    twilio_url: str = Field("", alias="OFFHOOK_TWILIO_URL")
    """Where Twilio's API is; "" for its own."""
    hubspot_token: SecretStr = Field(SecretStr(""), alias="OFFHOOK_HUBSPOT_TOKEN")
    """Of a private app that may read and write contacts (crm.objects.contacts)."""
    hubspot_url: str = Field("https://api.hubapi.com", alias="OFFHOOK_HUBSPOT_URL")
    salesforce_url: str = Field("", alias="OFFHOOK_SALESFORCE_URL")
    """The organisation's own: https://NAME.my.salesforce.com."""
    salesforce_client_id: str = Field("", alias="OFFHOOK_SALESFORCE_CLIENT_ID")
    salesforce_client_secret: SecretStr = Field(SecretStr(""), alias="OFFHOOK_SALESFORCE_CLIENT_SECRET")
    """Of an external client app with the client credentials flow and the scope `api`."""
    salesforce_field: str = Field("Offhook_Call__c", alias="OFFHOOK_SALESFORCE_FIELD", pattern=r"^\w+$")
    """A text field of the object Lead that is a unique external id: leads are known by it."""
    pipedrive_token: SecretStr = Field(SecretStr(""), alias="OFFHOOK_PIPEDRIVE_TOKEN")
    pipedrive_url: str = Field("https://api.pipedrive.com", alias="OFFHOOK_PIPEDRIVE_URL")
    """The company's own, https://NAME.pipedrive.com, or as it is."""
    dialplans: Path = Field(Path("dialplans"), alias="OFFHOOK_DIALPLANS")
    """Directory of the plan's YAML files."""
    host: str = Field("127.0.0.1", alias="OFFHOOK_HOST")
    """Address that this process's HTTP endpoint binds."""
    http_port: int = Field(0, alias="OFFHOOK_HTTP_PORT", ge=0, le=65535)
    """Port of /healthz, /readyz, /metrics; control's webhook is served there too."""
    sip_host: str = Field("127.0.0.1", alias="OFFHOOK_SIP_HOST")
    """Address that the edge binds for SIP and RTP; or several with commas between them, each with the same ports, and
    with `=` and the address that peers are told where that differs: `10.0.0.5=203.0.113.7,2001:db8::5`."""
    sip_port: int = Field(5060, alias="OFFHOOK_SIP_PORT", ge=0, le=65535)
    sip_tcp_port: int = Field(0, alias="OFFHOOK_SIP_TCP_PORT", ge=0, le=65535)
    """Port for SIP over TCP, both ways; 0 for none."""
    sip_tls_port: int = Field(0, alias="OFFHOOK_SIP_TLS_PORT", ge=0, le=65535)
    """Port for SIP over TLS, both ways; it needs a certificate. 0 for none."""
    sip_tls_certificate: Path | None = Field(None, alias="OFFHOOK_SIP_TLS_CERTIFICATE")
    """PEM file of our certificate, with those that vouch for it."""
    sip_tls_key: Path | None = Field(None, alias="OFFHOOK_SIP_TLS_KEY")
    """PEM file of its key; None when it stands in the certificate's file."""
    sip_tls_ca: Path | None = Field(None, alias="OFFHOOK_SIP_TLS_CA")
    """PEM file of the authorities that vouch for peers that we call; None for the system's."""
    sip_dns: str = Field("", alias="OFFHOOK_SIP_DNS")
    """DNS server for SRV and NAPTR records, as IP:port; "" for the system's."""
    sip_advertise: str = Field("", alias="OFFHOOK_SIP_ADVERTISE")
    """Address written into SDP and Contact when it isn't `sip_host` (NAT, 0.0.0.0); for a single one."""
    sip_refer_from: str = Field("", alias="OFFHOOK_SIP_REFER_FROM")
    """Addresses or CIDRs of PBXs, with commas between them, that may refer us to others of theirs; nobody by default."""
    sip_trusted: str = Field("127.0.0.0/8,::1", alias="OFFHOOK_SIP_TRUSTED")
    """Addresses or CIDRs, with commas between them, that may send the edge any number of SIP messages. Strangers may not,
    until a call comes about with them: a carrier needn't stand here."""
    rtp_first: int = Field(10000, alias="OFFHOOK_RTP_FIRST", ge=0, le=65535)
    rtp_last: int = Field(20000, alias="OFFHOOK_RTP_LAST", ge=0, le=65535)
    """RTP ports of the edge, both ends included; 0 and 0 lets the system choose."""
    edge_calls: int = Field(100, alias="OFFHOOK_EDGE_CALLS", ge=1)
    """Calls the edge takes at once; callers beyond get 503."""
    speech_url: str = Field("http://127.0.0.1:7890", alias="OFFHOOK_SPEECH_URL")
    """Base address of the local speech server, without a path."""
    deepgram_api_key: SecretStr = Field(SecretStr(""), alias="DEEPGRAM_API_KEY")
    deepgram_base_url: str = Field("", alias="DEEPGRAM_BASE_URL")
    """Full address of /v1/listen; "" for Deepgram's own with a key, the local speech server's without."""
    openai_api_key: SecretStr = Field(SecretStr(""), alias="OPENAI_API_KEY")
    openai_base_url: str = Field("", alias="OPENAI_BASE_URL")
    """Address that ends in /v1; "" for OpenAI's own with a key, the local speech server's without."""
    openai_model: str = Field("gpt-4.1", alias="OPENAI_MODEL")
    """The language model; the local speech server has one of its own and takes any name."""
    voice: str = Field("nova", alias="OFFHOOK_VOICE")
    """The agents' voice: one of OpenAI's names, which the local speech server knows too."""
    stt_chain: SecretStr = Field(SecretStr(""), alias="OFFHOOK_STT_CHAIN")
    """Who hears, the first first, with commas between them: `deepgram`, `local`, or `NAME=https://:KEY@HOST/PATH#MODEL`
    that speaks Deepgram's protocol. "" for Deepgram with a key or an address, then the local speech server."""
    llm_chain: SecretStr = Field(SecretStr(""), alias="OFFHOOK_LLM_CHAIN")
    """Who thinks: `openai`, `local`, or such an address that speaks OpenAI's protocol. "" as above."""
    tts_chain: SecretStr = Field(SecretStr(""), alias="OFFHOOK_TTS_CHAIN")
    """Who speaks: `openai`, `deepgram`, `local`, or such an address that speaks OpenAI's protocol, or Deepgram's when its
    path ends in /speak. "" as above. What is rendered ahead has the first one's voice."""
    hedge: float = Field(1.5, alias="OFFHOOK_HEDGE_SECONDS", ge=0)
    """Seconds without a word from a language model after which the next of the chain is asked too, and the first to answer
    wins; the local speech server, whose model understands less, is asked a second later. 0 for never."""
    hold: float = Field(1.5, alias="OFFHOOK_HOLD_SECONDS", ge=0)
    """Seconds after a caller's words in which they hear something: the answer, or else that it takes a moment. 0 for
    silence until the answer comes."""
    calls_at_once: int = Field(20, alias="OFFHOOK_CALLS_AT_ONCE", ge=1)
    """Calls one worker takes at once; load is counted in calls, never in CPU."""
    answer_within: float = Field(5.0, alias="OFFHOOK_ANSWER_SECONDS", ge=0)
    """Seconds that callers may wait for agents' answers (nine of ten, over half a minute, and never one answer alone), also in
    vain: when they wait longer, new calls go where the plan says `full`; 0 lets them come."""
    idle_jobs: int = Field(4, alias="OFFHOOK_IDLE_JOBS", ge=0)
    """Job processes a worker keeps warm: the burst it can answer without a cold start."""
    human_silent: float = Field(
        SILENT_FOR, alias="OFFHOOK_HUMAN_SILENT_SECONDS", ge=15, le=SILENT_FOR, allow_inf_nan=False
    )
    """Seconds for which the phone of whoever the gateway has rung may send nothing, without a word of a hold, until it counts
    as gone: a PBX that holds them often does so. A caller's may for 15; LiveKit takes 600 at most."""
    drain: float = Field(600.0, alias="OFFHOOK_DRAIN_SECONDS", ge=0)
    """Seconds that a worker or an edge that is told to stop lets its calls go on; then other jobs take a worker's over,
    and an edge's end."""
    log_format: str = Field("readable", alias="OFFHOOK_LOG_FORMAT", pattern="^(readable|json)$")
    log_level: str = Field("info", alias="OFFHOOK_LOG_LEVEL", pattern="^(debug|info|warning|error)$")

    @property
    def sealing_secret(self) -> str:
        """The secret that digits are sealed with; "" when there is none."""
        return self.secret.get_secret_value() or self.livekit_api_secret.get_secret_value()

    @property
    def leads_to(self) -> list[str]:
        """The addresses of OFFHOOK_LEADS_TO."""
        return self.leads_told_to.get_secret_value().split()

    @property
    def messages(self) -> Path:
        """Directory of the messages that callers leave."""
        return self.messages_directory or self.state / "messages"

    @property
    def spool(self) -> Path:
        """Directory of what jobs couldn't tell while Redis was away."""
        return self.state / "spool"

    @property
    def database(self) -> str:
        """SQLAlchemy's async URL of the record database."""
        return self.database_url.get_secret_value() or f"sqlite+aiosqlite:///{self.state / 'offhook.db'}"


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings; empty variables count as unset.

    Raises SetupFault naming every variable that can't be read and what it should be.
    """
    known = {field.alias for field in Settings.model_fields.values()}
    given = {key: value for key, value in environment.items() if key in known and value != ""}
    try:
        return Settings.model_validate(given)
    except ValidationError as bad:
        lines = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg'].lower()}" for e in bad.errors())
        raise SetupFault(
            f"The environment has settings that can't be used: {lines}.", remedy="Correct or unset them."
        ) from None
