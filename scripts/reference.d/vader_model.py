"""What Python's vaderSentiment says: the reference of the model `vader`, and texts made to hurt it."""

import random

from vaderSentiment import vaderSentiment as package

PACKAGE = "vaderSentiment"
ANALYZER = package.SentimentIntensityAnalyzer()


def scores(text):
    """neg, neu, pos and compound of the text."""
    scores = ANALYZER.polarity_scores(text)
    return scores["neg"], scores["neu"], scores["pos"], scores["compound"]




def unicode_golden():
    """What `str` methods say of every character, as ranges: kind, first, last, and for lower case what to add.

    A `capital` makes a token upper case, a `small` letter keeps it from that, a `space` parts tokens.
    """
    ranges = []
    for code in (code for code in range(0x110000) if not 0xD800 <= code <= 0xDFFF):
        c = chr(code)
        kinds = [("capital", c.isupper()), ("small", not ("A" + c).isupper()), ("space", c.isspace())]
        facts = [(kind, "") for kind, holds in kinds if holds]
        if c.lower() != c and len(c.lower()) == 1:
            facts.append(("lower", str(ord(c.lower()) - code)))
        elif c.lower() != c:
            facts.append(("lower", "+".join(f"{ord(small):04x}" for small in c.lower())))
        ranges += [(fact, code) for fact in facts]
    ranges.sort()
    rows = []
    for (kind, change), code in ranges:
        if rows and rows[-1][0] == (kind, change) and rows[-1][2] == code - 1:
            rows[-1][2] = code
        else:
            rows.append([(kind, change), code, code])
    return [f"{kind}\t{first:04x}\t{last:04x}\t{change}".rstrip("\t") for (kind, change), first, last in rows]


SPACES = [" "] * 60 + ["  ", "   ", "\n", "\r\n", "\t", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x1f", "\x85", "\xa0", "\u1680"]
SPACES += ["\u2003", "\u200a", "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"]
GLUE = ["", "-", "/", "\u200b", "\u200d", "\ufeff", "\ufe0f", "\ufe0e", "\u180e", "\x00", "\x01", "\x7f", "\u2060", "…", "'", "’", ".", "n't", "_", "!"]
RUNS = [".", ",", "!", "?", "...", "!!", "!!!", "!!!!", "!!!!!", "??", "???", "????", "?!", "!?", ":", ";", "-", "--", "—", "*", "**", "#", "@", "$", "%"]
RUNS += ["&", "(", ")", "[", "]", "{", "}", "<", ">", "/", "\\", "|", "~", "=", "+", "_", "^", '"', "'", "`", "“", "”", "‘", "’", "¿", "¡", "。", "！"]
RULES = ["no", "but", "kind", "of", "least", "at", "very", "never", "so", "this", "without", "doubt", "or", "nor", "No", "BUT", "But", "NO", "KIND"]
RULES += ["kind of", "sort of", "just enough", "sort", "just", "enough", "at least", "very least", "the least", "never so", "never this", "without doubt"]
RULES += ["without a doubt", "no or", "the", "shit", "bomb", "bad", "ass", "badass", "bus", "stop", "yeah", "right", "kiss", "death", "to", "die", "for"]
RULES += ["beating", "heart", "kind-of", "sorta", "can't stand", "fed up", "screwed up", "stand", "fed", "up"]
IDIOMS = list(package.SPECIAL_CASES) + list(package.SENTIMENT_LADEN_IDIOMS)
CONTRACTIONS = ["it's", "don't", "DON'T", "don’t", "n't", "N'T", "an't", "y'ain'tn't", "won't've", "isn't.", "'isn't'", "can'tstand", "n''t", "n'", "'t"]
SMALL = ["a", "I", "is", "it", "X", "xx", "ok", "OK", "oK", "D:", "2", "42", "1990s", "a1", "A1", ".a.", "..ab..", "-b", "c!", "!", "?", "abc", "the", "THE"]
LETTERS = ["İ", "ı", "ſ", "\u212aind", "li\u212ae", "\u212b", "Σ", "ΟΔΟΣ", "σς", "ß", "ẞ", "ǅ", "ǅUNGLA", "ᾈ", "é", "É", "ÉTÉ", "日本", "да", "ДА", "Привет"]
LETTERS += ["café", "naïve", "ﬁne", "ｇｏｏｄ", "ＧＯＯＤ", "𝐠𝐨𝐨𝐝", "𝐆", "Ⅷ", "ⅷ", "ⓐ", "Ⓐ", "ª", "ʕ", "ჼ", "ა", "Ა", "e\u0301", "\u0301", "GOOD\u0301", "\U00010d50", "\ua7cb", "\u1c89"]
WEB = ["http://t.co/a1XxD", "https://x.co/?a=b&c=d!", "@user", "#happy", "#bad!", "www.great.com", "&amp;", "&lt;3", "10:30", "3.5", "1,000", "50%", "$5"]
EMOJI = [e for e in ANALYZER.emojis]
SINGLE = [e for e in EMOJI if len(e) == 1]
FACES = [w for w in ANALYZER.lexicon if not w.isalpha()]
WORDS = [w for w in ANALYZER.lexicon if w.isalpha()]
BOOSTERS = list(package.BOOSTER_DICT)
ANY = [chr(c) for c in range(0x180)]
LONG = ["a" * 15, "b" * 16, "C" * 17, "x" * 63, "y" * 64, "Z" * 65, "w" * 200, "good" * 20, "!" * 70, "(" * 64 + "good" + ")" * 64]
LONG += [w for w in ANALYZER.lexicon if len(w) > 14]
KINDS = [WORDS] * 6 + [BOOSTERS] * 3 + [package.NEGATE] * 2 + [RULES] * 4 + [IDIOMS, CONTRACTIONS, SMALL, SMALL, LETTERS, WEB, EMOJI, SINGLE, FACES, RUNS, ANY, LONG]


class Texts:
    """A stream of texts made to hurt: everything that a rule could stumble on, in random company."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def one(self):
        """The next text."""
        r = self.random
        roll = r.random()
        if roll < 0.30:
            return self.of_rules()
        if roll < 0.40:
            return self.of_emoji()
        if roll < 0.45:
            return self.of_equals()
        if roll < 0.48:
            return "".join(chr(self.scalar()) for _ in range(r.randrange(40)))
        if roll < 0.50:
            return self.of_letters()
        return "".join(self.piece() for _ in range(r.randrange(1, 24)))

    def piece(self):
        """A word or something else, dressed up, and what parts it from the next."""
        r = self.random
        piece = r.choice(r.choice(KINDS))
        roll = r.random()
        if roll < 0.10:
            piece = piece.upper()
        elif roll < 0.18:
            piece = piece.capitalize()
        elif roll < 0.20:
            piece = piece.replace("k", "\u212a").replace("i", "İ", 1)
        elif roll < 0.22:
            piece = "".join(r.choice([c.upper(), c.lower()]) for c in piece)
        elif roll < 0.25:
            at = r.randrange(len(piece) + 1)
            piece = piece[:at] + r.choice(GLUE + RUNS + SINGLE[:99]) + piece[at:]
        elif roll < 0.36:
            piece += "".join(r.choice(RUNS) for _ in range(r.randrange(1, 4)))
        elif roll < 0.40:
            piece = "".join(r.choice(RUNS) for _ in range(r.randrange(1, 4))) + piece
        return piece + (r.choice(SPACES) if r.random() < 0.93 else r.choice(GLUE))

    def of_rules(self):
        """Words with a valence and what changes it, and little else."""
        r = self.random
        kinds = [WORDS, WORDS, WORDS, BOOSTERS, package.NEGATE, RULES, RULES, ["is", "the", "xyz", "it"], IDIOMS]
        words = [r.choice(r.choice(kinds)) for _ in range(r.randrange(1, 14))]
        shout = r.choice([0, 0, 0.1, 0.5, 0.95])
        words = [word.upper() if r.random() < shout else word for word in words]
        return " ".join(words) + r.choice(["", "", "", "!", "!!", "!!!!!", "?", "??", "???", "????", "?!?!"])

    def of_equals(self):
        """Words of few valences around a "but", long and short: places are found by value."""
        r = self.random
        few = r.sample(WORDS, r.randrange(1, 6)) + ["very", "not", "x"] + ["x"] * r.randrange(9)
        words = [r.choice(few) for _ in range(r.choice([5, 20, 60, 200]))]
        for _ in range(r.randrange(1, 3)):
            words.insert(r.randrange(len(words) + 1), r.choice(["but", "BUT", "But,", "but."]))
        return " ".join(words)

    def of_emoji(self):
        """Emoji, what belongs to them, and words between, glued in every way."""
        r = self.random
        kinds = [EMOJI, SINGLE, SINGLE, ["\ufe0f", "\u200d", "\U0001f3fd", "\u20e3", "1", "!"], WORDS, RULES, RUNS]
        glue = r.choice([["", " "], [""], [" "], ["", " ", "\n", "\xa0", "\u3000", "."]])
        return "".join(r.choice(r.choice(kinds)) + r.choice(glue) for _ in range(r.randrange(1, 30)))

    def of_letters(self):
        """Letters from all over Unicode in one word, for the case of it."""
        r = self.random
        return " ".join("".join(r.choice(LETTERS + ANY + ["good", "GOOD"]) for _ in range(r.randrange(1, 4))) for _ in range(r.randrange(1, 9)))

    def scalar(self):
        """Any character, near the front of Unicode more often."""
        c = self.random.choice([self.random.randrange(0x250), self.random.randrange(0x2000, 0x2100), self.random.randrange(0x110000)])
        return c if not 0xD800 <= c <= 0xDFFF else 0x20
