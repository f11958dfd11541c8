"""The bus's protobuf messages, declared from tables of their fields.

The package `livekit-protocol` ships the `livekit.*` messages but none of `rpc.*` and `internal.*`. What those hold on
the wire stands here, by LiveKit's names and numbers (protobufs/rpc/io.proto and sip.proto, psrpc's internal.proto); fields that
nothing here reads or writes are left out, which protobuf allows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, duration_pb2, message_factory
from livekit.protocol import room as livekit_room
from livekit.protocol import sip as livekit_sip

_Field = descriptor_pb2.FieldDescriptorProto
_PACKAGE = "offhook.bus"
LONGEST = 315_576_000_000.0
"""Seconds that a protobuf Duration has at most: 10,000 years."""
_SCALARS = {
    "string": _Field.TYPE_STRING,
    "bytes": _Field.TYPE_BYTES,
    "int64": _Field.TYPE_INT64,
    "bool": _Field.TYPE_BOOL,
    "float": _Field.TYPE_FLOAT,
    "uint32": _Field.TYPE_UINT32,
    "enum": _Field.TYPE_INT32,
}
"""`enum` stands for an enumeration of LiveKit's, which looks on the wire like the int32 it is read as here."""

_TABLE = {
    "Msg": "string type_url=1; bytes value=2; string channel=3",
    "Request": """string request_id=1; string client_id=2; int64 sent_at=3; int64 expiry=4; bool multi=5;
        map metadata=7; bytes raw_request=8""",
    "Response": """string request_id=1; string server_id=2; int64 sent_at=3; string error=5; string code=6;
        bytes raw_response=7; repeated .google.protobuf.Any error_details=8""",
    "ClaimRequest": "string request_id=1; string server_id=2; float affinity=3",
    "ClaimResponse": "string request_id=1; string server_id=2",
    "SIPCall": """string lk_call_id=1; string source_ip=2; .livekit.SIPUri address=3; .livekit.SIPUri from=4;
        .livekit.SIPUri to=5; repeated .livekit.SIPUri via=6; string sip_call_id=7; string project_id=8""",
    "GetSIPTrunkAuthenticationRequest": """string sip_call_id=6; string from=2; string from_host=7; string to=3;
        string to_host=5; string src_address=4; .offhook.bus.SIPCall call=8""",
    "GetSIPTrunkAuthenticationResponse": """string username=1; string password=2; string realm=9; bool drop=3;
        string sip_trunk_id=4; string project_id=5; enum error_code=7""",
    "EvaluateSIPDispatchRulesRequest": """string sip_call_id=8; string sip_participant_id=1; string sip_trunk_id=10;
        string calling_number=2; string calling_host=11; string called_number=3; string src_address=4; string pin=5;
        bool no_pin=6; string called_host=7; map extra_attributes=9; .offhook.bus.SIPCall call=12""",
    "EvaluateSIPDispatchRulesResponse": """string room_name=1; string participant_identity=2;
        string participant_name=7; string participant_metadata=8; map participant_attributes=11; bool request_pin=3;
        string token=4; string ws_url=5; enum result=6; string sip_trunk_id=9; string sip_dispatch_rule_id=10;
        map headers=13; map headers_to_attributes=14; map attributes_to_headers=18; enum include_headers=19;
        .google.protobuf.Duration ringing_timeout=16; .google.protobuf.Duration max_call_duration=17;
        string room_preset=20; .livekit.RoomConfiguration room_config=21; enum media_encryption=22;
        .livekit.SIPMediaConfig media=24""",
    "UpdateSIPCallStateRequest": ".livekit.SIPCallInfo call_info=1; .livekit.SIPTransferInfo transfer_info=2",
    "CreateSIPParticipantRequest": """string sip_call_id=13; string sip_trunk_id=19;
        .livekit.SIPRequestDest sip_request_uri=35; .livekit.SIPNamedDest sip_from_header=36;
        .livekit.SIPNamedDest sip_to_header=37; string to_user_override=39; string address=2; string hostname=20; enum transport=16;
        string number=3; string call_to=4; string username=5; string password=6; string room_name=7;
        string participant_identity=8; string participant_name=14; string participant_metadata=15;
        map participant_attributes=17; string token=9; string ws_url=10; string dtmf=11; bool play_dialtone=12;
        map headers=21; map headers_to_attributes=22; map attributes_to_headers=26; enum include_headers=27;
        .google.protobuf.Duration ringing_timeout=23; .google.protobuf.Duration max_call_duration=24;
        enum media_encryption=28; .livekit.SIPMediaConfig media=34; bool wait_until_answered=29;
        optional string display_name=31""",
    "CreateSIPParticipantResponse": "string participant_id=1; string participant_identity=2; string sip_call_id=3",
    "TransferSIPParticipantRequest": """string sip_call_id=1; string transfer_to=2; bool play_dialtone=3;
        map headers=4; .google.protobuf.Duration ringing_timeout=5""",
}

_ITEM = re.compile(r"(?:(repeated|optional) )?([\w.]+) (\w+)=(\d+)")


def _build(table: Mapping[str, str]) -> Mapping[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name="offhook/bus.proto", package=_PACKAGE, syntax="proto3")
    needed = (any_pb2.DESCRIPTOR, duration_pb2.DESCRIPTOR, livekit_sip.DESCRIPTOR, livekit_room.DESCRIPTOR)
    file.dependency.extend(one.name for one in needed)
    for name, fields in table.items():
        message = file.message_type.add(name=name)
        for item in fields.split(";"):
            _add(message, item.strip())
    pool = descriptor_pool.Default()
    pool.Add(file)
    made = {name: pool.FindMessageTypeByName(f"{_PACKAGE}.{name}") for name in table}
    return {name: message_factory.GetMessageClass(descriptor) for name, descriptor in made.items()}


def _add(message: descriptor_pb2.DescriptorProto, item: str) -> None:
    match = _ITEM.fullmatch(item)
    if match is None:
        raise AssertionError(f"a field of {message.name} is written wrong: {item}")
    how, kind, name, number = match.groups()
    label = _Field.LABEL_REPEATED if how == "repeated" else _Field.LABEL_OPTIONAL
    field = message.field.add(name=name, number=int(number), label=label)
    if how == "optional":  # that it isn't there can be told from ""
        field.proto3_optional, field.oneof_index = True, len(message.oneof_decl)
        message.oneof_decl.add(name=f"_{name}")
    if kind == "map":
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        for place, part in enumerate(("key", "value"), start=1):
            entry.field.add(name=part, number=place, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_STRING)
        field.label, field.type = _Field.LABEL_REPEATED, _Field.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{message.name}.{entry.name}"
    elif kind.startswith("."):
        field.type, field.type_name = _Field.TYPE_MESSAGE, kind
    else:
        field.type = _SCALARS[kind]


_CLASSES = _build(_TABLE)


def seconds(given: duration_pb2.Duration) -> float:
    """A duration; 0 for one that is negative, and LONGEST for one that is longer than protobuf allows."""
    return min(max(0.0, given.seconds + given.nanos / 1e9), LONGEST)


def message(name: str) -> Any:
    """The protobuf class of that name; its instances have the fields of the table above. KeyError if there is none."""
    return _CLASSES[name]
