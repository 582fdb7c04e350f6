//! The emoticons that TextBlob knows, by the face they make.

/// Each face with its polarity. Not one is a key of the word list, and no two faces share an emoticon even in lower
/// case.
pub(super) const FACES: [(f64, &[&str]); 9] = [
    (1.0, &["<3", "♥"]),
    (
        1.0,
        &[
            ">:D", ":-D", ":D", "=-D", "=D", "X-D", "x-D", "XD", "xD", "8-D",
        ],
    ),
    (
        0.75,
        &[
            ">:P", ":-P", ":P", ":-p", ":p", ":-b", ":b", ":c)", ":o)", ":^)",
        ],
    ),
    (
        0.5,
        &[
            ">:)", ":-)", ":)", "=)", "=]", ":]", ":}", ":>", ":3", "8)", "8-)",
        ],
    ),
    (
        0.25,
        &[">;]", ";-)", ";)", ";-]", ";]", ";D", ";^)", "*-)", "*)"],
    ),
    (
        0.05,
        &[">:o", ":-O", ":O", ":o", ":-o", "o_O", "o.O", "°O°", "°o°"],
    ),
    (
        -0.25,
        &[
            ">:/", ":-/", ":/", ":\\", ">:\\", ":-.", ":-s", ":s", ":S", ":-S", ">.>",
        ],
    ),
    (
        -0.75,
        &[
            ">:[", ":-(", ":(", "=(", ":-[", ":[", ":{", ":-<", ":c", ":-c", "=/",
        ],
    ),
    (-1.0, &[":'(", ":'''(", ";'("]),
];

/// The largest length of an emoticon, in bytes.
pub(super) const LONGEST: usize = 5;

/// Returns whether these bytes are an emoticon, in its own case.
pub(super) fn is_emoticon(spelling: &[u8]) -> bool {
    FACES
        .iter()
        .any(|(_, face)| face.iter().any(|emoticon| emoticon.as_bytes() == spelling))
}

/// For each byte, the bytes that may follow it inside an emoticon or the irony mark, as bits by their lower seven
/// bits.
///
/// A token can only be joined to the next one if the pair of bytes where they meet is in here. That of `so to` is not.
pub(super) static FOLLOWERS: [u128; 256] = followers();

const fn followers() -> [u128; 256] {
    let mut table = [0; 256];
    table[b'(' as usize] |= 1 << b'!';
    let mut face = 0;
    while face < FACES.len() {
        let mut which = 0;
        while which < FACES[face].1.len() {
            let bytes = FACES[face].1[which].as_bytes();
            let mut at = 1;
            while at < bytes.len() {
                table[bytes[at - 1] as usize] |= 1 << (bytes[at] & 0x7f);
                at += 1;
            }
            which += 1;
        }
        face += 1;
    }
    table
}
