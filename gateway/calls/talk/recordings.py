"""What recordings say in other languages than English (`gateway.calls.talk.recorded` has that): mailboxes, services that screen
calls, and the rest. Pure.

They are looked for together, whatever the language of the plan: a phone's mailbox speaks its carrier's. So each is
long enough to be said in one language alone, and by nobody who answers a phone or wishes to leave a message. Patterns are
written as `plain` makes words: without accents, in lower case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

_ACCENTS = re.compile("[\u0300-\u036f]")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ı": "i"})

MAILBOXES: Mapping[str, tuple[str, ...]] = {
    "de": (
        r"nach dem (?:signal ?|piep ?|pfeif ?)?(?:ton|piep|piepser|signal)\b",
        r"(?<!ich )hinterlass(?:en sie|t|e)? (?:\w+ ){0,7}(?:nachricht|mitteilung)\b",
        r"(?:mailbox|mobil ?box|sprach ?box|anruf ?beantworter) (?:von|der rufnummer|des teilnehmers)\b",
        r"(?:verbunden mit|erreicht|hier ist) (?:der|die|den|dem) (?:mailbox|mobil ?box|anruf ?beantworter)\b|mailbox ist (?:\w+ )?voll\b",
    ),
    "fr": (
        r"apres le (?:bip|signal|top)\b",
        r"(?:laissez|veuillez laisser|merci de (?:nous )?laisser) (?:moi |nous )?(?:un|votre|vos) (?:messages?|coordonnees)\b",
        r"(?:bien|etes) sur (?:la|le|ma|mon) (?:boite vocale|messagerie|repondeur)\b",
        r"(?:boite vocale|messagerie vocale|repondeur) (?:de|du|d|orange|sfr|bouygues|free|est pleine)\b",
    ),
    "es": (
        r"despues (?:de (?:la|oir la|escuchar la|oir el|escuchar el)|del) (?:senal|tono|bip|pitido)\b",
        r"(?:deje|dejenos|dejanos|deja) (?:su|un|tu|el) (?:mensaje|recado)\b",
        r"(?:buzon de (?:voz|mensajes)|contestador(?: automatico)?) (?:de|del|movistar|vodafone|orange|esta lleno)\b|buzon telcel\b",
    ),
    "it": (
        r"dopo il (?:segnale(?: acustico)?|bip|tono)\b",
        r"(?:lasci|lascia|lasciate|si prega di lasciare) (?:pure )?un (?:vostro )?messaggio\b",
        r"segreteria telefonica (?:di|del|della|dell|tim|vodafone)\b|risponde la segreteria\b|casella vocale (?:di|del|della|e piena)\b",
    ),
    "pt": (
        r"(?:apos|depois do|a seguir ao|depois de ouvir o) (?:o )?(?:sinal|bip|tom)\b",
        r"deixe (?:a sua|sua|uma|o seu|um|seu) (?:mensagem|recado)\b",
        r"(?:encaminhad|transferid|direcionad)[ao] para (?:a |o )?(?:caixa postal|correio de voz)\b",
        r"(?:caixa postal|correio de voz|voice ?mail|atendedor) (?:de|do|da|esta chei[ao])\b",
    ),
    "nl": (
        r"na de (?:piep ?)?(?:toon|piep)\b",
        r"(?:spreek|laat) (?:\w+ ){0,4}(?:bericht|boodschap) (?:in|achter)\b|(?:bericht|boodschap) inspreken\b",
        r"(?:voice ?mail|voice ?mailbox|antwoord ?apparaat) van\b",
    ),
    "pl": (
        r"po (?:uslyszeniu )?(?:sygnale|sygnalu|dzwieku)\b",
        r"(?:zostaw(?:cie)?|prosz[ey] zostawic|prosimy zostawic|nagraj(?:cie)?) (?:\w+ ){0,2}wiadomosc\b",
        r"poczt[ay] glosow(?:a|ej) (?:abonenta|numeru|uzytkownika)\b",
    ),
    "sv": (
        r"efter (?:tonen|pipet|signalen)\b",
        r"(?:mobilsvar|rostbrevlada\w*|telefonsvarare\w*) (?:for|till|hos)\b",
    ),
    "da": (
        r"efter (?:klartonen|bippet|biplyden)\b",
        r"laeg (?:\w+ ){0,2}besked\b",
        r"telefonsvarer(?:en)? (?:for|hos|til)\b",
    ),
    "no": (r"etter (?:pipetonen|tonen|pipet|signalet)\b", r"legg igjen (?:\w+ ){0,2}(?:beskjed|melding)\b"),
    "fi": (r"aanimerkin jalkeen\b", r"jata (?:\w+ ){0,2}viesti\w*"),
    "cs": (
        r"po (?:zaznen[ii]|zaznem|uslysen[ii]) (?:\w+ ){0,2}(?:signalu|tonu|pipnut[ii])\b",
        r"zanechte (?:\w+ ){0,3}(?:vzkaz|zpravu)\b|hlasov(?:a|e|ou) schrank\w",
    ),
    "hu": (r"(?:sipszo|hangjelzes|sip ?hang) utan\b", r"hagyjon (?:\w+ ){0,2}uzenetet\b"),
    "ro": (r"dupa (?:bip|semnalul|tonul)\b", r"lasati (?:\w+ ){0,2}mesaj\w*|casuta vocala\b"),
    "tr": (r"(?:sinyal|bip) ses\w+ (?:\w+ ){0,2}sonra\b", r"mesaj\w* (?:birakiniz|birakin)\b|telesekreter\w*"),
    "el": (r"μετα (?:το|τον) (?:χαρακτηριστικο )?(?:ηχο|τονο|μπιπ|σημα)\b", r"αφηστε (?:\w+ ){0,3}μηνυμα\b"),
    "ru": (
        r"после (?:\w+ )?(?:сигнала|гудка|тона)\b",
        r"оставьте (?:\w+ ){0,3}сообщение\b|голосов(?:ая|ую|ои) почт[аеуы] абонента\b",
    ),
    "uk": (r"після (?:\w+ )?(?:сигналу|гудка)\b", r"залиш(?:те|іть) (?:\w+ ){0,3}повідомлення\b"),
    "ja": (r"発信音の(?:後|あと)", r"留守番電話(?:サービス|センター|に|です|へ)"),
    "zh": (r"(?:提示音|嘟声|嘟聲|滴声|哔声|嗶聲)之?[后後]", r"(?:语音|語音)(?:信箱|留言)|请留言|請留言"),
    "ko": (r"삐 ?소리", r"음성 ?사서함"),
}  # fmt: skip
"""By ISO 639 code: what only a mailbox says."""

SCREENS: Mapping[str, tuple[str, ...]] = {
    "de": (r"(?:namen|name) und (?:den |dein\w* |ihr\w* )?grund (?:deines|ihres|des|fur) (?:den )?anruf",),
    "fr": (r"(?:votre|ton) nom (?:et|ainsi que) (?:la raison|le motif) de (?:votre|ton|l) appel",),
    "es": (r"(?:su|tu) nombre y (?:el )?motivo de (?:su|tu|la) llamada",),
    "it": (r"(?:nome|suo nome|tuo nome) e (?:il )?motivo della (?:sua |tua )?(?:chiamata|telefonata)",),
    "pt": (r"(?:nome) e (?:o )?motivo d[ae] (?:sua )?(?:ligacao|chamada)",),
    "nl": (r"naam en (?:de )?reden (?:van|voor) (?:je|uw|het) (?:oproep|gesprek|telefoontje|bellen)",),
}
"""What a service asks that screens calls, such as a smartphone's own."""

OTHERS: Mapping[str, tuple[str, ...]] = {
    "de": (
        r"(?:teilnehmer|gesprachspartner|rufnummer|anschluss)\w* (?:\w+ ){0,6}(?:nicht (?:erreichbar|vergeben|verfugbar)|besetzt)",
        r"alle (?:unsere )?(?:mitarbeiter\w*|leitungen|platze) (?:sind |befinden sich )?(?:\w+ ){0,3}(?:im gesprach|besetzt|belegt)",
        r"(?:drucken|wahlen) sie (?:bitte )?die (?:taste )?(?:\d|eins|zwei|drei|vier|funf|null|raute|stern)",
        r"(?:legen sie nicht auf|bleiben sie (?:bitte )?(?:in der leitung|dran|am apparat))|der nachste freie (?:mitarbeiter|platz)",
    ),
    "fr": (
        r"(?:votre )?correspondant (?:\w+ ){0,3}(?:pas (?:disponible|joignable)|indisponible)|numero (?:\w+ ){0,6}(?:n est pas attribue|pas en service)",
        r"(?:tapez|appuyez sur|faites le) (?:la touche )?(?:\d|un|deux|trois|etoile|diese)\b",
        r"tous nos (?:conseillers|agents|operateurs) (?:sont )?(?:\w+ ){0,3}(?:occupes|en ligne)|ne quittez pas|veuillez patienter",
    ),
    "es": (
        r"(?:telefono|numero|movil|celular|persona|cliente|usuario) (?:al|a la|que|usted) (?:\w+ ){0,6}(?:apagado|cobertura|no (?:esta disponible|existe)|fuera de)",
        r"(?:marque|pulse|presione|oprima) (?:el )?(?:\d|uno|dos|tres|cero|asterisco|almohadilla)\b",
        r"todos nuestros (?:agentes|operadores|asesores) (?:\w+ ){0,3}ocupados|permanezca (?:en linea|a la espera)",
    ),
    "it": (
        r"(?:cliente|utente|persona|numero) (?:da lei )?(?:chiamat\w+|selezionat\w+) (?:\w+ ){0,5}(?:raggiungibile|disponibile|inesistente|attivo)|non e al momento raggiungibile",
        r"(?:prema|premere|digiti|digitare|premi) (?:il tasto )?(?:\d|uno|due|tre|zero|asterisco|cancelletto)\b",
        r"(?:tutti i nostri )?operatori (?:sono )?(?:\w+ ){0,3}occupati|resti in linea|attendere in linea",
    ),
    "pt": (
        r"(?:numero|telefone|telemovel|celular|pessoa|cliente) (?:\w+ ){0,7}(?:desligado|fora da area|nao esta disponivel|nao existe|indisponivel|nao recebe)",
        r"(?:digite|disque|tecle|pressione|prima) (?:a tecla )?(?:\d|um|dois|tres|zero|asterisco|cardinal)\b",
        r"(?:nossos|nossas) (?:atendentes|operadores) (?:\w+ ){0,3}ocupad[ao]s|aguarde na linha|nao desligue",
    ),
    "nl": (
        r"(?:persoon die u belt|abonnee|nummer dat u) (?:\w+ ){0,6}(?:niet (?:bereikbaar|beschikbaar|in gebruik)|afgesloten)",
        r"(?:toets|druk op) (?:een )?(?:\d|een|twee|drie|nul|hekje|sterretje)\b",
        r"al onze (?:medewerkers|lijnen) (?:\w+ ){0,3}(?:bezet|in gesprek)|blijf(?:t u)? aan de lijn",
    ),
}  # fmt: skip
"""What other recordings say: nobody is there, or a menu, or a line that puts one on hold."""


def _any(tables: tuple[Mapping[str, tuple[str, ...]], ...]) -> re.Pattern[str]:
    parts = [part for table in tables for parts in table.values() for part in parts]
    return re.compile("|".join(f"{'' if _is_unspaced(part) else chr(92) + 'b'}(?:{part})" for part in parts))


def _is_unspaced(part: str) -> bool:
    """Whether the pattern is of a language that writes no spaces between words."""
    return any("\u3000" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7a3" for letter in part)


_MAILBOX = _any((MAILBOXES,))
_RECORDED = _any((MAILBOXES, SCREENS, OTHERS))


def plain(text: str) -> str:
    """The words alone, of any script, in lower case and without accents."""
    folded = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFKD", text.casefold())))
    return " ".join(re.findall(r"[^\W_]+", folded.translate(_LETTERS)))


def is_mailbox(words: str) -> bool:
    """Whether these are the words (`plain`) of a mailbox, in any of the languages."""
    return bool(_MAILBOX.search(words))


def is_recorded(words: str) -> bool:
    """Whether these are the words (`plain`) of a recording, in any of the languages."""
    return bool(_RECORDED.search(words))
