"""What Python's TextBlob says: the reference of the model `textblob`, and texts made to hurt it."""

import random

from textblob import TextBlob
from textblob import _text as pattern
from textblob.en import sentiment as lexicon

PACKAGE = "textblob"


def scores(text):
    """Polarity and subjectivity of the text."""
    sentiment = TextBlob(text).sentiment
    return sentiment.polarity, sentiment.subjectivity


SPACES = [" "] * 30 + ["  ", "\n", "\n\n", "\r\n", "\r\n\r\n", "\n\r\n", "\r", "\n \n", "\t", "\x0b", "\x0c", "\x1c", "\x1f", "\x85"]
SPACES += ["\xa0", "\u1680", "\u2003", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000", "\r\r\n\n"]
GLUE = ["", "", "", "-", "/", "\u200b", "\u200d", "\ufeff", "\u180e", "\x00", "\x7f", "\u2060", "…", "'", "’", ".", "n't", "_"]
QUOTES = ["'", '"', "“", "”", "‘", "’", "`", "´", "«", "»", "''", "``"]
RUNS = [".", ",", "!", "?", "...", "..", "....", "(!)", "( ! )", "(! )", "(\n\n!)", "!!", "!!!", "?!", "!?", ":", ";", "-", "--", "—"]
RUNS += ["*", "**", "#", "@", "$", "%", "&", "(", ")", "[", "]", "{", "}", "<", ">", "/", "\\", "|", "~", "=", "+", "_", "^", "°"]
SMALL = ["a", "an", "the", "so", "is", "it", "I", "to", "do", "max", "x", "X", "o", "8", "D", "P", "c", "b", "p", "s", "S", "O", "3"]
SMALL += ["n", "t", "really", "İ", "ſ", "\u212a", "Σ", "ß", "é", "日本", "да", "ok", "o\u212a", "li\u212aely", "END-OF-SENTENCE", "end-of-sentence", "2nd", "13th"]
NEGATIONS = ["no", "not", "never", "No", "NOT", "Never", "n't", "don't", "can't", "isn't", "DON'T", "wasn’t", "won't've", "n't n't", "nor", "none"]
MODIFIERS = ["very", "real", "really", "especially", "excruciatingly", "extremely", "so", "quite", "absolutely", "Very", "REALLY", "hardly", "n'tvery"]
CONTRACTIONS = ["it's", "I'm", "I'd", "we'll", "they're", "I've", "y'all", "'tis", "rock'n'roll", "it’s", "n'tn't", "'s", "'d", "an't", "n''t"]
ABBREVIATIONS = sorted(pattern.ABBREVIATIONS) + ["U.S.", "U.S", "u.s.a.", "T.", "Ss.", "Sts.", "A|.", "B|c|.", "|.", "Dr..", "etc...", "etc..", "e.g.,", "a.1.", "é.", "Mr.!"]
WEB = ["http://t.co/a1XxD", "https://x.co/?a=b&c=d", "@user", "#happy", "#bad!", "www.great.com", "me@mail.com", "&amp;", "&lt;3", "&gt;:D", "10:30", "3.5", ".5", "1,000", "50%", "$5"]
EMOJI = ["😀", "😍😍", "❤️", "👍🏽", "👨‍👩‍👧", "♥", "♥♥", "☺", "🇺🇸", "\u0301", "e\u0301", "\U000e0041", "́", "𝐠𝐨𝐨𝐝", "ｇｏｏｄ"]
EMOTICONS = sorted(e for faces in pattern.EMOTICONS.values() for e in faces)
ANY = [chr(c) for c in range(0x00, 0x180)]


class Texts:
    """A stream of texts made to hurt: everything that a rule could stumble on, in random company."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.words = sorted(lexicon)
        self.strong = [w for w in self.words if abs(lexicon[w][None][0]) > 0.3]
        self.adverbs = [w for w in self.words if "RB" in lexicon[w]]
        self.kinds = [self.words, self.strong, self.strong, self.adverbs, NEGATIONS, MODIFIERS, SMALL, CONTRACTIONS, ABBREVIATIONS]
        self.kinds += [WEB, EMOJI, EMOTICONS, EMOTICONS, RUNS, RUNS, QUOTES, ANY]
        self.faces = [c for e in EMOTICONS for c in e] + ["(", "!", ")", ".", "o", "x", "8", "D"]

    def one(self):
        """The next text."""
        roll = self.random.random()
        if roll < 0.15:
            return self.of_faces()
        if roll < 0.25:
            return self.of_rules()
        if roll < 0.27:
            return "".join(chr(self.scalar()) for _ in range(self.random.randrange(40)))
        return "".join(self.piece() for _ in range(self.random.randrange(1, 24)))

    def piece(self):
        r = self.random
        piece = r.choice(r.choice(self.kinds))
        roll = r.random()
        if roll < 0.05:
            piece = piece.upper()
        elif roll < 0.12:
            piece = piece.capitalize()
        elif roll < 0.14:
            piece = piece.replace("k", "\u212a").replace("i", "İ", 1)
        elif roll < 0.17:
            at = r.randrange(len(piece) + 1)
            piece = piece[:at] + r.choice(GLUE + RUNS) + piece[at:]
        elif roll < 0.19:
            piece = " ".join(piece)
        elif roll < 0.30:
            piece += "".join(r.choice(RUNS) for _ in range(r.randrange(1, 4)))
        elif roll < 0.34:
            piece = "".join(r.choice(RUNS) for _ in range(r.randrange(1, 4))) + piece
        return piece + (r.choice(SPACES) if r.random() < 0.86 else r.choice(GLUE))

    def of_faces(self):
        """The characters of emoticons, torn apart and glued together."""
        r = self.random
        return "".join(r.choice(self.faces) + r.choice(["", "", " ", " ", "\n\n"] if r.random() < 0.7 else SPACES) for _ in range(r.randrange(1, 30)))

    def of_rules(self):
        """Known words with what changes them, and little else."""
        r = self.random
        kinds = [self.strong, self.strong, self.adverbs, NEGATIONS, MODIFIERS, ["!", "(!)", "a", "is", "the", ":)", ":(", "at"]]
        return " ".join(r.choice(r.choice(kinds)) for _ in range(r.randrange(1, 14)))

    def scalar(self):
        c = self.random.choice([self.random.randrange(0x250), self.random.randrange(0x2000, 0x2100), self.random.randrange(0x110000)])
        return c if not 0xD800 <= c <= 0xDFFF else 0x20
