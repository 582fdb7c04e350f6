//! Names of files as text.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Returns a path as text, from which it can be restored.
///
/// What is UTF-8 stands as it is, with two exceptions: a backslash is doubled, and each byte of a control character is
/// written as `\xHH`, as is each byte that is not UTF-8.
///
/// ```
/// use std::ffi::OsStr;
/// use std::os::unix::ffi::OsStrExt;
/// use std::path::Path;
///
/// let path = Path::new(OsStr::from_bytes(b"caf\xe9/d\xc3\xa9j\xc3\xa0 vu.txt"));
/// assert_eq!(moodring_record::name_of(path), r"caf\xE9/déjà vu.txt");
/// ```
#[must_use]
pub fn name_of(path: &Path) -> String {
    let mut name = String::new();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        for letter in chunk.valid().chars() {
            match letter {
                '\\' => name.push_str("\\\\"),
                letter if letter.is_control() => {
                    escape(&mut name, letter.encode_utf8(&mut [0; 4]).as_bytes());
                }
                letter => name.push(letter),
            }
        }
        escape(&mut name, chunk.invalid());
    }
    name
}

fn escape(name: &mut String, bytes: &[u8]) {
    for byte in bytes {
        // Writing to a string cannot fail.
        let _ = write!(name, "\\x{byte:02X}");
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use proptest::prelude::*;

    use super::*;

    /// The path that has this name.
    fn restored(name: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut rest = name;
        while let Some(at) = rest.find('\\') {
            bytes.extend_from_slice(&rest.as_bytes()[..at]);
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('\\') {
                bytes.push(b'\\');
                rest = after;
            } else {
                bytes.push(u8::from_str_radix(&rest[1..3], 16).unwrap());
                rest = &rest[3..];
            }
        }
        bytes.extend_from_slice(rest.as_bytes());
        bytes
    }

    proptest! {
        #[test]
        fn a_name_is_one_line_and_restores_its_path(
            bytes in prop_oneof![
                any::<Vec<u8>>(),
                any::<String>().prop_map(String::into_bytes),
                "[a\\\\x4\n\u{e9}]{0,12}".prop_map(String::into_bytes),
            ],
        ) {
            let name = name_of(Path::new(OsStr::from_bytes(&bytes)));
            prop_assert!(!name.contains(char::is_control));
            prop_assert_eq!(restored(&name), bytes);
        }
    }
}
