"""Recordings of other languages than English: as carriers and phones say them; and people, who are none."""

from __future__ import annotations

import pytest

from gateway.calls.talk.recorded import Kind, is_mailbox, kind_of, words_of
from gateway.calls.talk.recordings import MAILBOXES, OTHERS, SCREENS
from gateway.handoff.choice import choice_of, is_recording

GREETINGS = {
    "de": (
        "Guten Tag, Sie sind verbunden mit der Mobilbox von null eins sieben eins fünf fünf.",
        "Der gewünschte Gesprächspartner ist zurzeit nicht erreichbar. Bitte hinterlassen Sie eine Nachricht nach dem Signalton.",
        "Hallo, hier ist die Mailbox von Jörg. Sprecht nach dem Piep!",
        "Hinterlassen Sie uns bitte Ihren Namen und eine kurze Nachricht. Wir rufen zurück.",
    ),
    "fr": (
        "Bonjour, vous êtes bien sur la messagerie vocale Orange du zéro six douze.",
        "Je ne suis pas disponible pour le moment, merci de laisser votre message après le bip sonore.",
        "Votre correspondant n'est pas joignable. Laissez-lui un message après le signal sonore.",
    ),
    "es": (
        "El teléfono al que llama está apagado o fuera de cobertura. Puede dejar un mensaje después de la señal.",
        "Este es el contestador automático de Movistar. Deje su mensaje después de oír la señal.",
        "La persona que usted llamó no está disponible. Buzón Telcel.",
        "Ha llamado al buzón de voz del seis uno dos.",
    ),
    "it": (
        "Segreteria telefonica del numero tre tre cinque. Lasciate un messaggio dopo il segnale acustico.",
        "Risponde la segreteria telefonica TIM.",
    ),
    "pt": (
        "Sua chamada está sendo encaminhada para a caixa postal e estará sujeita à cobrança após o sinal.",
        "Ligou para o voice mail do número nove um dois. Deixe a sua mensagem após o sinal.",
    ),
    "nl": (
        "Dit is de voicemail van nul zes twaalf. Spreek een bericht in na de toon.",
        "Wij zijn er even niet. Laat een bericht achter, dan bellen we u terug.",
    ),
    "pl": ("Dodzwoniłeś się do poczty głosowej. Zostaw wiadomość po sygnale.", "Poczta głosowa abonenta pięćset."),
    "sv": ("Du har kommit till mobilsvar för noll sju noll. Lämna ett meddelande efter tonen.",),
    "da": ("Du har ringet til Mettes telefonsvarer. Læg en besked efter klartonen.",),
    "no": ("Personen du ringer er ikke tilgjengelig. Legg igjen en beskjed etter pipetonen.",),
    "fi": ("Valitsemaanne numeroon ei juuri nyt saada yhteyttä. Jätä viesti äänimerkin jälkeen.",),
    "cs": ("Volaný účastník není dostupný. Zanechte prosím vzkaz po zaznění signálu.",),
    "hu": ("Kérjük, hagyjon üzenetet a sípszó után.",),
    "ro": ("Vă rugăm lăsați un mesaj după semnalul sonor.",),
    "tr": ("Lütfen sinyal sesinden sonra mesajınızı bırakınız.",),
    "el": ("Παρακαλώ αφήστε το μήνυμά σας μετά τον χαρακτηριστικό ήχο.",),
    "ru": ("Абонент не отвечает. Оставьте, пожалуйста, сообщение после звукового сигнала.",),
    "uk": ("Залиште повідомлення після сигналу.",),
    "ja": ("留守番電話サービスに接続します。発信音の後にお名前とご用件をお話しください。",),
    "zh": ("您拨打的电话暂时无人接听，请在提示音后留言。", "請在嘟聲後留言。"),
    "ko": ("연결이 되지 않아 삐 소리 후 소리샘으로 연결됩니다.", "음성사서함입니다."),
}  # fmt: skip
OTHER_RECORDINGS = (
    "Alle unsere Mitarbeiter sind zurzeit im Gespräch, bitte legen Sie nicht auf.", "Für den Vertrieb drücken Sie die Taste 1.",
    "Der Teilnehmer ist vorübergehend nicht erreichbar.", "Tous nos conseillers sont actuellement occupés, veuillez patienter.",
    "Pour le service commercial, tapez 1.", "Le numéro que vous avez demandé n'est pas attribué.",
    "Todos nuestros agentes están ocupados, permanezca en línea.", "Para ventas, marque el 1.",
    "Il cliente da lei chiamato non è al momento raggiungibile.", "Per informazioni, prema il tasto 2.",
    "O número para o qual ligou não está disponível.", "Para vendas, digite 1.",
    "De persoon die u belt is momenteel niet bereikbaar.", "Al onze medewerkers zijn in gesprek.",
)  # fmt: skip
SCREENING = (
    "Hallo! Wenn du deinen Namen und den Grund deines Anrufs aufnimmst, sehe ich nach, ob diese Person erreichbar ist.",
    "Bonjour, si vous indiquez votre nom et le motif de votre appel, je verrai si cette personne est disponible.",
    "Hola. Si dices tu nombre y el motivo de tu llamada, veré si esta persona está disponible.",
    "Ciao. Se registri il tuo nome e il motivo della chiamata, verifico se la persona è disponibile.",
    "Olá. Se disser o seu nome e o motivo da chamada, verifico se a pessoa está disponível.",
    "Hallo. Als je je naam en reden van je oproep inspreekt, kijk ik of deze persoon beschikbaar is.",
)
PEOPLE = (
    "Ja, hallo?", "Müller am Apparat.", "Guten Tag, Firma Acme, Weber, was kann ich für Sie tun?",
    "Kann ich eine Nachricht hinterlassen?", "Ich hinterlasse ihm eine Nachricht.", "Nach dem Termin rufe ich zurück.",
    "Allô, oui?", "Société Acme, Marie à l'appareil, bonjour.", "Je peux laisser un message?", "Après le déjeuner, peut-être.",
    "¿Bueno?", "Dígame.", "¿Puedo dejar un mensaje?", "Después de la comida llamo yo.", "Pronto, chi parla?",
    "Posso lasciare un messaggio?", "Estou, quem fala?", "Posso deixar um recado?", "Podemos marcar um horário?",
    "Met Jan de Vries.", "Hallo, met Acme, waarmee kan ik u helpen?", "Kan ik een bericht achterlaten?",
    "Słucham?", "Czy mogę zostawić wiadomość?", "Kan jag lämna ett meddelande?", "Kan jeg lægge en besked?",
    "Kan jeg legge igjen en beskjed?", "Voinko jättää viestin?", "Mohu zanechat vzkaz?", "Hagyhatok üzenetet?",
    "Pot să las un mesaj?", "Mesaj bırakabilir miyim?", "Алло, слушаю вас.", "Можно оставить сообщение?",
    "もしもし、田中です。", "喂，你好。", "여보세요?",
)  # fmt: skip


@pytest.mark.parametrize(("language", "said"), [(code, said) for code, all in GREETINGS.items() for said in all])
def test_a_mailbox_is_known_in_any_language(language: str, said: str) -> None:
    assert is_mailbox(said)
    assert is_recording(said)
    assert choice_of(said, asked=True) is None


def test_each_language_is_proven() -> None:
    assert set(GREETINGS) == set(MAILBOXES)
    assert set(SCREENS) == set(OTHERS) <= set(MAILBOXES)


@pytest.mark.parametrize("said", OTHER_RECORDINGS)
def test_another_recording_is_one_and_no_mailbox(said: str) -> None:
    assert kind_of(said) is Kind.RECORDED
    assert not is_mailbox(said), "they may end with a person"


@pytest.mark.parametrize("said", SCREENING)
def test_a_phone_that_screens_is_known(said: str) -> None:
    assert is_recording(said)
    assert not is_mailbox(said)


@pytest.mark.parametrize("said", PEOPLE)
def test_people_are_none(said: str) -> None:
    assert not is_recording(said)
    assert not is_mailbox(said)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Après l'été, ça va?", "apres l ete ca va"), ("GRÖSSE, Straße", "grosse strasse"), ("Læg, łódź, øl", "laeg lodz ol"),
        ("I can’t – it’s 9:30", "i can t it s 9 30"), ("発信音の後に", "発信音の後に"), ("삐 소리", "삐 소리"), ("ガ", "ガ"), ("", ""),
    ],
)  # fmt: skip
def test_words_are_read_without_accents(text: str, words: str) -> None:
    assert words_of(text) == words
