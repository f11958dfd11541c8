"""Whether whoever hangs up has said goodbye, by the last words that they said. Pure.

Generous: a salesperson who is rung back although they had said goodbye is annoyed, and one who wasn't can call. So whatever
ends talks counts, thanks at the end too, English words and "ciao" in any language; and of a few words alone nobody can tell.

Words are compared as `recordings.plain` makes them; in the tables they stand as they are written, and `*` for how a word ends.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gateway.calls.talk.recordings import plain

LEAST = 6
"""Words, each counted once, from which nothing of a goodbye in them says that there was none: who talks says more in a few seconds, a
goodbye that is misheard has fewer, and a recognizer makes a word of each noise."""
LEAST_SIGNS = 10
"""The same for signs of a language that writes no spaces."""
THANKED = 6
"""Words at most that follow thanks at the end: "thank you so much for your time today"."""
_UNSPACED = frozenset({"ja", "zh"})

ENGLISH = r"""
      \b(?:good\s?)?byes?\b | \bgood\sby\b | \b(?:by|buy|bi)(?:\s(?:by|buy|now|then))*$ | \bfare\s?well\b | \bciao\b | \badios\b
    | \bso\slong$ | \btoodle\w* | \bta\sta\b | \bcheerio\b | \bcheers\b | \bgood\s(?:night|day|luck)\b | \bgod\sbless\b
    | \btake\s(?:good\s)?care\b | \bbe\swell\b | \b(?:stay|keep)\s(?:safe|well|healthy)\b | \ball\sthe\sbest\b
    | \b(?:best|kind|warm)\s(?:wishes|regards)\b
    | \b(?:see|catch|meet)\s(?:you|ya|u|y\sall)\b
    | \b(?:talk|speak|chat)(?:\s(?:to|with)\s(?:you|ya))?\s(?:soon|later|then|again|tomorrow|next|on\s\w+day)\b
    | \b(?:talk|speak|chat)\s(?:to|with)\s(?:you|ya)$ | \blater$ | \bcall\s(?:me|us)\s(?:any\s?time|if|when)\b
    | \buntil\s(?:then|next|tomorrow|later|we)\b | \btill\s(?:then|next|tomorrow)\b
    | \bha(?:ve|d|s)\s(?:yourself\s)?an?\s(?:\w+\s)?(?:nice|good|great|lovely|wonderful|pleasant|safe|blessed|fantastic|happy|fabulous|beautiful|super|awesome|excellent|amazing|merry)\b
    | \b(?:enjoy|rest\sof)\s(?:(?:the|your)\s)?(?:rest|day|morning|afternoon|evening|night|week\s?end|week|trip|holidays?)\b
    | \b(?:happy|merry)\s(?:new\syear|holidays|christmas|easter|thanksgiving|week\s?end|friday)\b
    | \b(?:nice|great|good|lovely|pleasure|pleasant)\s(?:(?:to\s(?:have\s)?)?(?:talk|speak|chat|meet)\w*)\b
    | \b(?:my\spleasure|pleasure\sis\smine|(?:you\sre|you\sare|you|your)\s(?:very\s|most\s|so\s)?welcome)\b
    | \blook(?:ing)?\sforward\b | \b(?:be|keep|stay)\sin\stouch\b | \bhang(?:ing)?\sup\b | \blet\syou\sgo\b
    | \b(?:have|got|need)\sto\s(?:go|run|leave|jump)\b | \bgotta\s(?:go|run|jump)\b | \bwrong\snumber\b | \btake\sit\seasy\b
    | \bthat(?:\ss|\sis|\swas|\swill\sbe|\sll\sbe)\s(?:all|it|everything)\b | \bwe\sre\sall\sset\b | \b(?:okay|ok|right|alright|well)\sthen$
"""
"""What ends talks in English."""
ENGLISH_THANKS = r"\b(?:thanks|thank\s(?:you|u|ya)|thanking|appreciate|grateful|much\sobliged|ta)\b"

GOODBYES: Mapping[str, tuple[str, ...]] = {
    "de": (
        "tschüs*", "tschau", "ciao", "wiederhör*", "wiederschau*", "wiederseh*", "wiederluege", "servus", "adieu", "ade", "baba",
        "mach's gut", "machen Sie's gut", "machen Sie es gut", "schönen Tag", "schönen Abend", "schönen Nachmittag", "schönen Feierabend",
        "schönen Sonntag", "schöne Woche", "schöne Feiertage", "schönes Wochenende", "schönen guten", "guten Tag noch", "gute Nacht", "gute Zeit",
        "alles Gute", "alles Liebe", "bis dann", "bis bald", "bis später", "bis gleich", "bis morgen", "bis nächste*", "bis die Tage",
        "bis zum nächsten", "bis Montag", "bis Dienstag", "bis Mittwoch", "bis Donnerstag", "bis Freitag", "hören uns", "sehen uns", "hört sich",
        "viel Erfolg", "viele Grüße", "schöne Grüße", "hat mich gefreut", "ich muss auflegen", "falsch verbunden",
    ),
    "fr": (
        "au revoir", "à bientôt", "à plus", "à tout à l'heure", "à tout de suite", "à demain", "à la prochaine", "à très vite", "à lundi", "à mardi",
        "à mercredi", "à jeudi", "à vendredi", "bonne journée", "bonne soirée", "bonne après-midi", "bon après-midi", "bonne nuit", "bonne fin de",
        "bonne continuation", "bonne semaine", "bon week-end", "belle journée", "belle soirée", "bonnes fêtes", "bonnes vacances", "bon courage",
        "ciao", "tchao", "adieu", "je vous laisse", "je te laisse", "prenez soin", "portez-vous bien", "cordialement", "je raccroche",
        "on se rappelle", "excellente journée", "excellente soirée",
    ),
    "es": (
        "adiós", "hasta luego", "hasta pronto", "hasta mañana", "hasta la", "hasta el", "hasta entonces", "nos vemos", "nos hablamos", "hablamos",
        "que tenga*", "que tengas", "que le vaya", "que te vaya", "que les vaya", "que esté*", "que pase*", "cuídese", "cuídate", "cuídense", "buen día",
        "buen fin de semana", "feliz día", "feliz tarde", "feliz noche", "chao", "chau", "ciao", "saludos", "un saludo",
        "un abrazo", "a la orden", "vaya con dios",
    ),
    "it": (
        "arrivederci", "arrivederla", "ciao", "buona giornata", "buona serata", "buonanotte", "buona notte", "buon pomeriggio", "buona domenica",
        "buona settimana", "buon lavoro", "buon weekend", "buon fine settimana", "buone vacanze", "buone feste", "a presto", "a dopo", "a domani",
        "a più tardi", "a risentirci", "a risentirla", "ci sentiamo", "ci vediamo", "ci aggiorniamo", "alla prossima", "stia bene", "stammi bene",
        "saluti", "la saluto", "ti saluto", "addio", "cordialità", "in bocca al lupo",
    ),
    "pt": (
        "adeus", "tchau*", "chau", "ciao", "até logo", "até mais", "até breve", "até já", "até amanhã", "até à próxima", "até segunda", "até lá",
        "até depois", "tenha um*", "tenha uma", "tenham", "bom fim de semana", "bom final de semana", "boa semana", "bom trabalho", "um abraço",
        "abraços", "abraço", "cumprimentos", "a gente se fala", "nos falamos", "falamos", "fique bem", "fica bem", "fiquem bem", "fique com deus",
        "passe bem", "com licença", "beijinho*", "vou desligar",
    ),
    "nl": (
        "tot ziens", "tot horens", "tot straks", "tot later", "tot morgen", "tot snel", "tot gauw", "tot zo", "tot kijk", "tot de volgende", "tot dan",
        "tot maandag", "doei*", "doeg", "houdoe", "ajuus", "dag dag", "fijne dag", "prettige dag", "goede dag", "fijne avond", "prettige avond",
        "fijne middag", "fijn weekend", "goed weekend", "prettig weekend", "werk ze", "het beste", "groet*", "spreek je", "spreken elkaar", "ciao",
        "welterusten", "de mazzel",
    ),
    "pl": (
        "do widzenia", "do usłyszenia", "do zobaczenia", "do jutra", "do miłego", "na razie", "pa pa", "miłego*", "dobrego dnia",
        "dobranoc", "trzymaj się", "się trzymać", "pozdrawiam", "wszystkiego dobrego", "żegnam", "serdeczności",
    ),
    "sv": (
        "hej då", "hejdå", "hej hej", "adjö", "vi hörs", "vi ses", "ha det*", "ha en", "trevlig helg", "trevlig kväll", "trevlig dag", "god natt",
        "sköt om", "lycka till", "ta hand om",
    ),
    "da": (
        "farvel", "hej hej", "vi ses", "vi tales", "vi snakkes", "vi høres", "ha det*", "hav det", "hav en", "ha en", "have det godt", "god dag",
        "god weekend", "god aften", "god nat", "fortsat god", "held og lykke",
    ),
    "no": (
        "ha det*", "hadet", "adjø", "farvel", "hei hei", "vi snakkes", "vi høres", "vi ses", "vi sees", "ha en", "ha ei", "god helg", "god kveld", "god natt",
        "god dag", "lykke til", "snakkes",
    ),
    "fi": (
        "näkemiin", "kuulemiin", "hei hei", "heippa*", "heihei", "moi moi", "moimoi", "moikka", "nähdään", "kuullaan", "jutellaan", "palataan",
        "päivänjatko*", "päivän jatko*", "illanjatko*", "illan jatko*", "hyvää viikonloppua", "hyvää päivää", "hyvää yötä", "hyvää iltaa", "pärjäile*",
    ),
    "cs": (
        "na shledanou", "nashledanou", "na viděnou", "na slyšenou", "naslyšenou", "sbohem", "čau*", "mějte se", "měj se", "mějte hezk*",
        "hezký den", "pěkný den", "krásný den", "hezký večer", "pěkný večer", "hezký víkend", "pěkný víkend", "dobrou noc", "zatím", "hezký zbytek",
    ),
    "hu": (
        "viszontlátás*", "viszlát", "viszonthallás*", "viszhall", "szia*", "szép napot", "szép estét", "jó éjszakát", "jó hétvégét",
        "minden jót", "legyen szép", "csókolom", "pá pá", "hali",
    ),
    "ro": (
        "la revedere", "pa pa", "pe curând", "o zi bună", "o zi frumoasă", "zi bună", "zi frumoasă", "o seară", "seară bună", "seară frumoasă", "weekend",
        "numai bine", "ne auzim", "ne vedem", "toate cele bune", "noapte bună", "cu bine",
    ),
    "tr": (
        "hoşça kal*", "hoşçakal*", "güle güle", "görüşürüz", "görüşmek üzere", "iyi günler", "iyi akşamlar", "iyi geceler", "iyi çalışmalar", "iyi hafta*",
        "iyi bak*", "ısmarladık", "kolay gelsin", "bay bay", "selamlar", "esen kal*", "kendine iyi", "kendinize iyi",
    ),
    "el": (
        "αντίο", "καλή συνέχεια", "καλό βράδυ", "καλό απόγευμα", "καλή σας", "καληνύχτα",
        "καλό σαββατοκύριακο", "τα λέμε", "να είστε καλά", "να είσαι καλά", "στο καλό", "χαίρετε", "εις το επανιδείν",
    ),
    "ru": (
        "до свидания", "до свиданья", "всего доброго", "всего хорошего", "всего наилучшего", "до встречи", "до связи", "до завтра", "хорошего",
        "удачи", "счастливо", "доброй ночи", "спокойной ночи", "прощайте", "созвонимся", "до скорого", "приятного", "будьте здоровы",
    ),
    "uk": (
        "до побачення", "на все добре", "всього найкращого", "всього доброго", "усього доброго", "до зустрічі", "до зв'язку", "до завтра", "бувайте",
        "бувай", "гарного", "хорошого", "па па", "щасти", "на добраніч", "добраніч", "успіхів",
    ),
    "ja": (
        "さようなら", "さよなら", "失礼します", "失礼いたします", "失礼致します", "それでは", "ではまた", "またね", "じゃあね", "またお電話", "また連絡", "またご連絡", "よろしくお願い", "宜しくお願い",
        "お疲れ様でした", "お世話になりました", "バイバイ", "ごめんください", "お大事に", "おやすみ", "ありがとう", "有難う", "切ります", "どうも",
    ),
    "zh": (
        "再见", "再見", "拜拜", "掰掰", "白白", "回头", "回頭", "回聊", "下次", "慢走", "晚安", "祝您", "祝你", "谢谢", "謝謝", "多谢", "不客气", "不客氣", "先这样",
        "先這樣", "就这样", "就這樣", "挂了", "掛了", "保重", "明天见", "辛苦",
    ),
    "ko": (
        "안녕히", "들어가세요", "들어가십시오", "수고하*", "끊을게*", "끊겠*", "다음에", "좋은 하루*", "좋은 주말*", "좋은 저녁*", "감사*", "고맙*", "연락드리*",
        "건강하*", "또 봐*", "또 뵙*", "잘 가*", "잘 있*", "조심히*",
    ),
}  # fmt: skip
"""By ISO 639 code: what is said by whoever goes."""

THANKS: Mapping[str, tuple[str, ...]] = {
    "de": (
        "danke*",
        "dank",
        "merci",
        "bedanke",
        "grüße",
        "gern geschehen",
        "gerne geschehen",
        "bitte schön",
        "bitteschön",
        "keine Ursache",
    ),
    "fr": ("merci", "remercie*", "de rien", "je vous en prie", "salut"),
    "es": ("gracias", "agradezco", "agradecemos", "de nada", "con gusto", "buenas tardes", "buenas noches"),
    "it": ("grazie", "ringrazio", "ringraziamo", "prego", "di nulla", "buongiorno", "buonasera", "salve"),
    "pt": ("obrigad*", "agradeço", "agradecemos", "de nada", "por nada", "bom dia", "boa tarde", "boa noite", "valeu"),
    "nl": ("bedankt", "dank", "dankjewel", "dankuwel", "dag", "hoi", "succes", "graag gedaan", "goedenavond"),
    "pl": ("dziękuję", "dziękujemy", "dzięki", "pa", "hej", "cześć"),
    "sv": ("tack*", "hej"),
    "da": ("tak", "tusind", "hej", "selv tak"),
    "no": ("takk", "tusen", "hei", "morn", "bare hyggelig"),
    "fi": ("kiitos", "kiitti", "kiitoksia", "hei", "moi", "terve"),
    "cs": ("děkuji", "děkuju", "děkujeme", "díky", "dík", "není zač", "dobrý den", "ahoj"),
    "hu": ("köszönöm", "köszönjük", "köszi", "szívesen", "helló", "pá", "jó napot", "jó estét"),
    "ro": ("mulțumesc", "mulțumim", "mersi", "pa", "cu plăcere", "bună ziua"),
    "tr": ("teşekkür*", "sağ ol*", "sağol*", "rica ederim", "eyvallah"),
    "el": ("ευχαριστώ", "ευχαριστούμε", "παρακαλώ", "γεια", "γεια σας", "καλημέρα", "καλησπέρα", "καλή μέρα"),
    "ru": ("спасибо", "благодарю", "благодарим", "не за что", "пока"),
    "uk": ("дякую", "дякуємо", "спасибі", "нема за що", "папа"),
    "ko": ("안녕",),
}
"""Thanks, and words that mean something else too, as hello: a goodbye at the end alone. A language that writes no spaces has its
thanks above."""


def _phrase(written: str) -> str:
    word = re.escape(plain(written)).replace(r"\ ", " ")
    return rf"{word}\w*" if written.endswith("*") else rf"{word}\b"


def _any(written: Iterable[str], code: str) -> str:
    if code in _UNSPACED:
        return "|".join(re.escape(plain(one)) for one in written)
    return r"\b(?:" + "|".join(_phrase(one) for one in written) + ")"


_AT_THE_END = rf"(?:\s\w+){{0,{THANKED}}}$"


def _pattern(code: str) -> re.Pattern[str]:
    parts = [ENGLISH, ENGLISH_THANKS + _AT_THE_END]
    if code in GOODBYES:
        parts.append(_any(GOODBYES[code], code).replace(" ", r"\s"))
    if code in THANKS:
        parts.append(_any(THANKS[code], code).replace(" ", r"\s") + _AT_THE_END)
    return re.compile("|".join(parts), re.VERBOSE)


_PATTERNS = {code: _pattern(code) for code in ("en", *GOODBYES)}
_ALSO = {"nb": "no", "nn": "no", "cmn": "zh", "yue": "zh"}


def said_goodbye(words: str, language: str) -> bool | None:
    """Whether somebody's last words hold a goodbye. None where nobody can tell: too few were said, or it is a language whose
    goodbyes aren't written down. `language`: BCP 47 tag."""
    code = language.partition("-")[0].lower()
    code = _ALSO.get(code, code)
    if code not in _PATTERNS:
        return None
    said = plain(words)
    heard = said.replace(" ", "") if code in _UNSPACED else said
    if _PATTERNS[code].search(heard) or _PATTERNS["en"].search(said):
        return True
    enough = len(set(heard)) >= LEAST_SIGNS if code in _UNSPACED else len(set(said.split())) >= LEAST
    return False if enough else None
