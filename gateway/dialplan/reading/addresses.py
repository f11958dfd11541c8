"""Addresses that are told of messages and leads: mail, webhooks, and whatever apprise knows. Pure."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from gateway.dialplan.reading.words import near

_APPRISE = """46elks acs amqp amqps aprs atalk awswhatsapp azure bale bark barks betterstack bluesky brevo bsky bulksms bulkvs
    burstsms chanify clickatell clicksend cliq cm d7sms dapnet deltachat deltachats dingtalk discord dot eight00com
    elks emby embys enigma2 enigma2s evolution evolutions exotel fcm feishu firehydrant flock flowtriq flowtriqs
    fluxer fluxers form forms freemobile gchat github goalert goalerts gorush gorushs gotify gotifys groundmail
    groupme guilded gupshup hassio hassios httpsms humhub humhubs ifttt ilert incidentio infobip instagram irc ircs
    jellyfin jellyfins jira join json jsons kakao kakaotalk kaleyra kavenegar klr kodi kodis kook kudosity kumulos
    lametric lametrics lark lauther lfg line mailersend mailgun mastodon mastodons matrix matrixs misskey misskeys
    mmost mmosts mobilemessage mobilemsg mqtt mqtts msg91 msgbird ncloud nclouds nctalk nctalks nexmo nostr notica
    noticas notifiarr notifico notificos notifyapp notifyre ntfy ntfys o365 octopush onebot onebots onesignal
    opsgenie opsimate opsimates pagerduty pagertree parsep parseps pbul pinglet pinglets pingram pjet pjets plivo
    postmark pover prowl psafer psafers push pushdeer pushdeers pushed pushme pushplus pushward pushy qq reddit
    resend revolt ringc rocket rockets rsyslog ryver schan sendgrid sendpulse serwersms ses session sessions seven
    sfr signal signalgrid signals signl4 simplepush sinch slack smpp smpps smsc smseagle smseagles smsmanager smsmgr
    smstunnel smtp2go sns sogs sparkpost spike splunk spugpush spush squadcast stackfield strmlabs synology
    synologys syslog telesign telnyx tgram threema toot toots trigv trigvs tweet twilio twist twitter vapid viber
    victorops voipms vonage webex wechat wecom wecombot whapi whatsapp workflow workflows wpush wxpusher wxteams x
    xbmc xbmcs xmatters xml xmls xmpp xmpps youlmk zalo zcliq zohocliq zoom zulip"""
SCHEMES = frozenset(_APPRISE.split()) | {"http", "https", "mailto", "mailtos"}
"""How an address may begin; those of a desktop's own notifications are left out."""
_MAIL = re.compile(r"mailto:[^@\s/?]+@[^@\s]+\.[^@\s]+", re.IGNORECASE)
_TELEPHONE = re.compile(r"sms:\+[1-9][0-9]{6,14}", re.IGNORECASE)
CUSTOMER_SYSTEMS = frozenset({"hubspot:", "salesforce:", "pipedrive:"})
"""Take leads, by an account that the settings name."""
_URL = re.compile(r"([a-z][a-z0-9+.-]*)://\S+", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether somebody can be told there: `mailto:NAME@HOST`, `sms:+1…`, a webhook, a customer system, or an address as
    apprise writes it."""
    if _MAIL.fullmatch(text) or _TELEPHONE.fullmatch(text) or text.lower() in CUSTOMER_SYSTEMS:
        return True
    url = _URL.fullmatch(text)
    return url is not None and url[1].lower() in SCHEMES and _splits(text)


def _splits(text: str) -> bool:
    """Whether it is a URL to whoever sends to it: `https://[bad/x` isn't."""
    try:
        urlsplit(text)
    except ValueError:
        return False
    return True


def looks_like_one(text: str) -> bool:
    """Whether an address was meant, and no team's name."""
    return "://" in text or text.lower().startswith(("mailto:", "sms:")) or text.endswith(":")


def remedy(text: str) -> str:
    """What to write instead of what is no address."""
    url = _URL.fullmatch(text)
    close = near(url[1].lower(), sorted(SCHEMES)) if url else ""
    return close or "Write mailto:NAME@HOST, https://HOST/PATH, or an address as apprise has it, such as slack://…"
