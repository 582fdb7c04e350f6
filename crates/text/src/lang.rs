//! The language of a text, as an ISO 639-1 code.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// A text with fewer letters is of no language.
const MIN_LETTERS: usize = 4;

/// No more bytes of a text are looked at.
const MAX_BYTES: usize = 1000;

/// The codes of ISO 639-1, two letters each.
const TWO_LETTERS: &str = "\
    aaabaeafakamanarasavayazbabebgbhbibmbnbobrbscacechcocrcscucvcydadedvdzeeeleneoeseteufafffifjfofrfygagdglgngugv\
    hahehihohrhthuhyhziaidieigiiikioisitiujajvkakgkikjkkklkmknkokrkskukvkwkylalblglilnloltlulvmgmhmimkmlmnmrmsmtmy\
    nandnengnlnonrnvnyocojomorospapiplpsptqurmrnrorurwsascsdsesgsiskslsmsnsosqsrssstsusvswtatetgthtitktltntotrtstt\
    twtyugukuruzvevivowawoxhyiyozazhzu";

/// What some codes are in ISO 639-1: those of ISO 639-3 and 639-2 of the languages that can be detected, codes that were
/// withdrawn, and the two forms of Norwegian, which nobody tells apart. Sorted.
const SAME: [(&str, &str); 97] = [
    ("afr", "af"),
    ("aka", "ak"),
    ("amh", "am"),
    ("ara", "ar"),
    ("arm", "hy"),
    ("aze", "az"),
    ("bel", "be"),
    ("ben", "bn"),
    ("bul", "bg"),
    ("bur", "my"),
    ("cat", "ca"),
    ("ces", "cs"),
    ("chi", "zh"),
    ("cmn", "zh"),
    ("cym", "cy"),
    ("cze", "cs"),
    ("dan", "da"),
    ("deu", "de"),
    ("dut", "nl"),
    ("ell", "el"),
    ("eng", "en"),
    ("epo", "eo"),
    ("est", "et"),
    ("fas", "fa"),
    ("fil", "tl"),
    ("fin", "fi"),
    ("fra", "fr"),
    ("fre", "fr"),
    ("geo", "ka"),
    ("ger", "de"),
    ("gre", "el"),
    ("guj", "gu"),
    ("heb", "he"),
    ("hin", "hi"),
    ("hrv", "hr"),
    ("hun", "hu"),
    ("hye", "hy"),
    ("in", "id"),
    ("ind", "id"),
    ("ita", "it"),
    ("iw", "he"),
    ("jav", "jv"),
    ("ji", "yi"),
    ("jpn", "ja"),
    ("jw", "jv"),
    ("kan", "kn"),
    ("kat", "ka"),
    ("khm", "km"),
    ("kor", "ko"),
    ("lat", "la"),
    ("lav", "lv"),
    ("lit", "lt"),
    ("mac", "mk"),
    ("mal", "ml"),
    ("mar", "mr"),
    ("mkd", "mk"),
    ("mo", "ro"),
    ("mya", "my"),
    ("nb", "no"),
    ("nep", "ne"),
    ("nld", "nl"),
    ("nn", "no"),
    ("nno", "no"),
    ("nob", "no"),
    ("nor", "no"),
    ("ori", "or"),
    ("pan", "pa"),
    ("per", "fa"),
    ("pes", "fa"),
    ("pol", "pl"),
    ("por", "pt"),
    ("ron", "ro"),
    ("rum", "ro"),
    ("rus", "ru"),
    ("sh", "sr"),
    ("sin", "si"),
    ("slk", "sk"),
    ("slo", "sk"),
    ("slv", "sl"),
    ("sna", "sn"),
    ("spa", "es"),
    ("srp", "sr"),
    ("swe", "sv"),
    ("tam", "ta"),
    ("tel", "te"),
    ("tgl", "tl"),
    ("tha", "th"),
    ("tuk", "tk"),
    ("tur", "tr"),
    ("ukr", "uk"),
    ("urd", "ur"),
    ("uzb", "uz"),
    ("vie", "vi"),
    ("wel", "cy"),
    ("yid", "yi"),
    ("zho", "zh"),
    ("zul", "zu"),
];

/// A language: two letters of ISO 639-1, such as `en`, or three of ISO 639-3 where there are no two.
///
/// Read from such a code in any case, also with a region behind it:
///
/// ```
/// use moodring_text::Lang;
///
/// let read = |code: &str| code.parse().map(|lang: Lang| lang.to_string());
/// assert_eq!(read("pt_BR").as_deref(), Ok("pt"));
/// assert_eq!(read("ENG").as_deref(), Ok("en"));
/// assert!(read("english").is_err() && read("und").is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lang([u8; 3]);

/// No such language is known.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no code of a language; write its two letters in ISO 639-1, such as en")]
pub struct UnknownLang(String);

impl Lang {
    /// Returns the code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let len = if self.0[2] == 0 { 2 } else { 3 };
        // It holds nothing but ASCII.
        str::from_utf8(&self.0[..len]).unwrap_or_default()
    }

    /// Returns the language that a text is probably in; none if it has too little to tell. Of a long text the beginning
    /// decides.
    ///
    /// A guess: of tweets in European languages it is right for 83 to 97 in a hundred.
    #[must_use]
    pub fn detect(text: &str) -> Option<Self> {
        let beginning = &text[..text.floor_char_boundary(MAX_BYTES)];
        let mut letters = beginning.chars().filter(|letter| letter.is_alphabetic());
        letters.nth(MIN_LETTERS - 1)?;
        let detected = whatlang::detect(beginning)?;
        Self::from_code(detected.lang().code())
    }

    /// The language with this code in lower case.
    fn from_code(code: &str) -> Option<Self> {
        let same = SAME.binary_search_by(|(other, _)| other.cmp(&code));
        let code = same.map_or(code, |at| SAME[at].1);
        let mut letters = [0; 3];
        letters
            .get_mut(..code.len())?
            .copy_from_slice(code.as_bytes());
        let is_known = match letters {
            [_, _, 0] => {
                let mut known = TWO_LETTERS.as_bytes().chunks(2);
                known.any(|known| known == code.as_bytes())
            }
            // Several languages, none, one without a code, one that is not known; and codes for private use.
            [b'm', b'u', b'l']
            | [b'z', b'x', b'x']
            | [b'm', b'i', b's']
            | [b'u', b'n', b'd']
            | [b'q', b'a'..=b't', _] => false,
            letters => letters.iter().all(u8::is_ascii_lowercase),
        };
        is_known.then_some(Self(letters))
    }
}

impl FromStr for Lang {
    type Err = UnknownLang;

    fn from_str(typed: &str) -> Result<Self, UnknownLang> {
        let (code, _region) = typed.split_once(['-', '_']).unwrap_or((typed, ""));
        Self::from_code(&code.trim().to_ascii_lowercase())
            .ok_or_else(|| UnknownLang(typed.to_owned()))
    }
}

impl fmt::Display for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Lang {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_sorted() {
        assert!(SAME.is_sorted());
    }

    #[test]
    fn a_text_of_some_words_has_a_language() {
        let detect = |text| Lang::detect(text).map(|lang| lang.to_string());
        assert_eq!(detect("Der Zug war wieder zu spät").as_deref(), Some("de"));
        assert_eq!(detect("电车又晚点了").as_deref(), Some("zh"));
        let long = "The train was late again. ".repeat(100) + &"поезд снова опоздал ".repeat(1000);
        assert_eq!(detect(&long).as_deref(), Some("en"));
        for text in ["", "lol", "12345 :) 😍"] {
            assert_eq!(detect(text), None, "{text}");
        }
    }

    #[test]
    fn a_code_that_names_no_language_is_refused() {
        for code in ["", "e", "xx", "zxx", "qme", "engl", "e1", "EN-", "日本"] {
            assert_eq!(code.parse::<Lang>().is_ok(), code == "EN-", "{code}");
        }
        assert_eq!("nn".parse::<Lang>(), "no".parse());
        assert_eq!("ckb".parse::<Lang>().unwrap().as_str(), "ckb");
    }

    #[test]
    fn every_language_that_can_be_detected_has_two_letters() {
        for lang in whatlang::Lang::all() {
            let lang = Lang::from_code(lang.code()).unwrap();
            assert_eq!(lang.as_str().len(), 2, "{lang}");
        }
    }
}
