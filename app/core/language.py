"""The languages speech models know, by code and by name."""

from app.core.errors import mark

AUTO = "auto"

# Source: openai-whisper `whisper/tokenizer.py` LANGUAGES (MIT), in the order of their tokens.
NAMES = {
    "en": mark("English"), "zh": mark("Chinese"), "de": mark("German"), "es": mark("Spanish"),
    "ru": mark("Russian"), "ko": mark("Korean"), "fr": mark("French"), "ja": mark("Japanese"),
    "pt": mark("Portuguese"), "tr": mark("Turkish"), "pl": mark("Polish"), "ca": mark("Catalan"),
    "nl": mark("Dutch"), "ar": mark("Arabic"), "sv": mark("Swedish"), "it": mark("Italian"),
    "id": mark("Indonesian"), "hi": mark("Hindi"), "fi": mark("Finnish"), "vi": mark("Vietnamese"),
    "he": mark("Hebrew"), "uk": mark("Ukrainian"), "el": mark("Greek"), "ms": mark("Malay"),
    "cs": mark("Czech"), "ro": mark("Romanian"), "da": mark("Danish"), "hu": mark("Hungarian"),
    "ta": mark("Tamil"), "no": mark("Norwegian"), "th": mark("Thai"), "ur": mark("Urdu"),
    "hr": mark("Croatian"), "bg": mark("Bulgarian"), "lt": mark("Lithuanian"), "la": mark("Latin"),
    "mi": mark("Maori"), "ml": mark("Malayalam"), "cy": mark("Welsh"), "sk": mark("Slovak"),
    "te": mark("Telugu"), "fa": mark("Persian"), "lv": mark("Latvian"), "bn": mark("Bengali"),
    "sr": mark("Serbian"), "az": mark("Azerbaijani"), "sl": mark("Slovenian"),
    "kn": mark("Kannada"), "et": mark("Estonian"), "mk": mark("Macedonian"), "br": mark("Breton"),
    "eu": mark("Basque"), "is": mark("Icelandic"), "hy": mark("Armenian"), "ne": mark("Nepali"),
    "mn": mark("Mongolian"), "bs": mark("Bosnian"), "kk": mark("Kazakh"), "sq": mark("Albanian"),
    "sw": mark("Swahili"), "gl": mark("Galician"), "mr": mark("Marathi"), "pa": mark("Punjabi"),
    "si": mark("Sinhala"), "km": mark("Khmer"), "sn": mark("Shona"), "yo": mark("Yoruba"),
    "so": mark("Somali"), "af": mark("Afrikaans"), "oc": mark("Occitan"), "ka": mark("Georgian"),
    "be": mark("Belarusian"), "tg": mark("Tajik"), "sd": mark("Sindhi"), "gu": mark("Gujarati"),
    "am": mark("Amharic"), "yi": mark("Yiddish"), "lo": mark("Lao"), "uz": mark("Uzbek"),
    "fo": mark("Faroese"), "ht": mark("Haitian Creole"), "ps": mark("Pashto"),
    "tk": mark("Turkmen"), "nn": mark("Nynorsk"), "mt": mark("Maltese"), "sa": mark("Sanskrit"),
    "lb": mark("Luxembourgish"), "my": mark("Burmese"), "bo": mark("Tibetan"),
    "tl": mark("Tagalog"), "mg": mark("Malagasy"), "as": mark("Assamese"), "tt": mark("Tatar"),
    "haw": mark("Hawaiian"), "ln": mark("Lingala"), "ha": mark("Hausa"), "ba": mark("Bashkir"),
    "jw": mark("Javanese"), "su": mark("Sundanese"), "yue": mark("Cantonese"),
}  # fmt: skip

CODES = tuple(NAMES)


def language_name(code: str) -> str:
    """Return the English name of a language, marked for translation; the code when unknown."""
    return NAMES.get(code, code)
