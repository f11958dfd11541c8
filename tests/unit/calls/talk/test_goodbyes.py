"""Whether somebody's last words hold a goodbye: generously, in the languages that are written down."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.calls.talk.goodbyes import GOODBYES, LEAST, THANKED, THANKS, said_goodbye
from gateway.calls.talk.recordings import MAILBOXES

SAID = (
    "Thank you, goodbye.", "Okay, bye.", "Bye-bye now!", "thanks by", "that's sorted then good buy", "Take care.", "See you on Monday.",
    "I'll talk to you soon.", "Speak to you later.", "Great, talk tomorrow then.", "Have a nice day!", "You have yourself a great weekend.",
    "Have a very good one.", "And enjoy the rest of your day.", "Thank you so much for your time today.", "We appreciate it very much.",
    "You're very welcome.", "All the best.", "Cheers, mate.", "Ciao!", "Farewell.", "Good night.", "So long.", "It was nice talking to you, Maria.",
    "I look forward to it.", "We'll be in touch.", "Sorry, I've got to run.", "I'm going to hang up now.", "Sorry, that's the wrong number.",
    "No, that's all.", "Until next time.", "Merry Christmas to all of you.", "Best regards to your husband.", "Okay then.", "Later.",
    "I'll send you the offer tomorrow, thanks for calling, and we will see.",
)  # fmt: skip
UNSAID = (
    "The price depends on how many phones you need, and", "Hello? Hello, are you there? Can you hear me?", "I have forty of them in the",
    "We can deliver that by Monday or by the", "Thank you for holding, this is Ana of Acme, so tell me how many phones you would",
    "Let me look that up in our system for a moment", "Would you rather buy it now or lease it for", "we had a new one delivered last week but then the",
    "And which of your offices would that be", "Good morning, this is Ben, I hear that you are looking for",
)  # fmt: skip
ABROAD = {
    "de": ("Alles klar, vielen Dank, tschüss!", "Auf Wiederhören, Frau Maier.", "Ich wünsche Ihnen noch einen schönen Tag.", "Mach's gut.", "Bis nächste Woche."),
    "fr": ("Merci, au revoir Madame.", "Bonne journée à vous.", "À bientôt.", "Très bien, je vous remercie."),
    "es": ("Muchas gracias, hasta luego.", "Adiós.", "Que tenga un buen fin de semana.", "Cuídese mucho."),
    "it": ("La ringrazio, arrivederci.", "Buona giornata anche a lei.", "Ci sentiamo domani.", "Grazie mille."),
    "pt": ("Muito obrigada, até logo.", "Tchau, tchau.", "Tenha um bom dia.", "Um abraço."),
    "nl": ("Dank u wel, tot ziens.", "Fijne dag nog.", "Doei!", "Nou, bedankt hoor, dag."),
    "pl": ("Dziękuję bardzo.", "Do usłyszenia.", "Miłego dnia życzę."),
    "sv": ("Tack så mycket.", "Hej då!", "Vi hörs i morgon."),
    "da": ("Mange tak.", "Farvel.", "Ha' det godt."),
    "no": ("Tusen takk.", "Ha det bra.", "Vi snakkes."),
    "fi": ("Kiitos paljon.", "Kuulemiin.", "Hyvää päivänjatkoa."),
    "cs": ("Děkuji vám.", "Na shledanou.", "Mějte se hezky."),
    "hu": ("Köszönöm szépen.", "Viszonthallásra.", "Szép napot kívánok."),
    "ro": ("Mulțumesc frumos.", "La revedere.", "O zi bună."),
    "tr": ("Teşekkür ederim.", "Hoşça kalın.", "İyi günler."),
    "el": ("Ευχαριστώ πολύ.", "Αντίο σας.", "Τα λέμε."),
    "ru": ("Большое спасибо.", "До свидания.", "Хорошего вам дня.", "Ну ладно, пока."),
    "uk": ("Щиро дякую.", "До побачення.", "На все добре."),
    "ja": ("それでは 失礼いたします。", "ありがとうございました。"),
    "zh": ("好的，谢谢您。", "好 的 再 见", "那就這樣，拜拜。"),
    "ko": ("네, 감사합니다.", "안녕히 계세요.", "수고하세요."),
}  # fmt: skip
AMID = {
    "de": "Und wie viele Telefone brauchen Sie denn für das", "fr": "Et combien de téléphones voulez-vous pour votre",
    "es": "Y cuántos teléfonos necesita usted para su oficina en", "it": "E quanti telefoni le servono per il suo ufficio di",
    "pt": "E quantos telefones precisa para o seu escritório em", "nl": "En hoeveel telefoons heeft u nodig voor uw kantoor",
    "pl": "A ile telefonów potrzebuje pani do swojego biura", "sv": "Och hur många telefoner behöver ni på ert kontor",
    "da": "Og hvor mange telefoner skal I bruge på jeres kontor", "no": "Og hvor mange telefoner trenger dere på kontoret",
    "fi": "Ja kuinka monta puhelinta tarvitsette toimistoonne", "cs": "A kolik telefonů budete potřebovat do kanceláře",
    "hu": "És hány telefonra lenne szükségük az irodában", "ro": "Și de câte telefoane aveți nevoie pentru birou",
    "tr": "Peki ofisiniz için kaç tane telefona ihtiyacınız var", "el": "Και πόσα τηλέφωνα χρειάζεστε για το γραφείο",
    "ru": "А сколько телефонов вам нужно для вашего офиса", "uk": "А скільки телефонів вам потрібно для офісу",
    "ja": "それで電話は何台くらい必要でしょうか", "zh": "那么你们的办公室需要多少部电话呢", "ko": "그러면 사무실에 전화기가 몇 대 필요하신가요",
}  # fmt: skip


@pytest.mark.parametrize("words", SAID)
def test_what_ends_a_talk_is_a_goodbye(words: str) -> None:
    assert said_goodbye(words, "en-US") is True


@pytest.mark.parametrize("words", UNSAID)
def test_who_is_amid_something_has_said_none(words: str) -> None:
    assert said_goodbye(words, "en-US") is False


@pytest.mark.parametrize(("language", "words"), [(code, words) for code, each in ABROAD.items() for words in each])
def test_a_goodbye_is_known_in_each_language(language: str, words: str) -> None:
    assert said_goodbye(words, language) is True
    assert said_goodbye(words, f"{language}-XX") is True


@pytest.mark.parametrize(("language", "words"), AMID.items())
def test_who_is_amid_something_has_said_none_in_any_language(language: str, words: str) -> None:
    assert said_goodbye(words, language) is False


@pytest.mark.parametrize("language", ["en", *MAILBOXES, "nb-NO", "cmn-Hans-CN"])
def test_english_goodbyes_count_in_each_language_whose_mailboxes_are_known(language: str) -> None:
    assert said_goodbye("okay bye bye", language) is True


def test_the_languages_are_those_of_recordings() -> None:
    assert GOODBYES.keys() == MAILBOXES.keys() == ABROAD.keys() == AMID.keys()
    assert set(THANKS) <= set(GOODBYES)


@pytest.mark.parametrize(
    ("words", "language"), [("Bye bye.", "hi-IN"), ("so how many phones would you", "xx"), ("bye", "")]
)
def test_nobody_can_tell_in_a_language_that_isnt_written_down(words: str, language: str) -> None:
    assert said_goodbye(words, language) is None


@pytest.mark.parametrize(
    "words", ["", "bob", "bob walter", "hello hello hello hello hello", "mm-hm, okay, okay", "..."]
)
def test_of_a_few_words_nobody_can_tell(words: str) -> None:
    assert said_goodbye(words, "en-US") is None


def test_thanks_count_at_the_end_alone() -> None:
    after = " ".join(["word"] * THANKED)
    assert said_goodbye(f"so many phones, thanks {after}", "en") is True
    assert said_goodbye(f"so many phones, thanks {after} more", "en") is False


WORDS = st.lists(
    st.sampled_from(["the", "price", "of", "each", "phone", "depends", "on", "how", "many", "office", "desks"]),
    max_size=12,
)


@given(
    before=WORDS,
    after=WORDS,
    goodbye=st.sampled_from(["goodbye", "take care", "see you", "have a nice day", "all the best"]),
)
def test_a_goodbye_counts_wherever_it_is(before: list[str], after: list[str], goodbye: str) -> None:
    assert said_goodbye(" ".join([*before, goodbye, *after]), "en-GB") is True


@given(words=WORDS)
def test_without_one_the_number_of_words_decides(words: list[str]) -> None:
    assert said_goodbye(" ".join(words), "en-GB") is (False if len(set(words)) >= LEAST else None)


@given(words=st.text(max_size=60), language=st.sampled_from(["en", *GOODBYES, "xx"]))
def test_any_text_is_told_apart(words: str, language: str) -> None:
    assert said_goodbye(words, language) in (True, False, None)
