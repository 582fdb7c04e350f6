//! Which fields of JSON objects can be columns of a table.

use std::collections::HashSet;

use memchr::memrchr;
use sonic_rs::JsonValueTrait;

/// The names of top-level fields of JSON objects that hold a string, a number, a truth value or null, each once, in the order
/// in which they first occur.
///
/// ```
/// let mut fields = moodring_record::ScalarFields::default();
/// fields.add(b"{\"id\":1,\"user\":{\"name\":\"ann\"}}\n{\"id\":2,\"text\":\"hi\"}\n{\"cut", false);
/// assert_eq!(fields.names(), ["id", "text"]);
/// ```
#[derive(Clone, Debug, Default)]
pub struct ScalarFields {
    names: Vec<String>,
    known: HashSet<String>,
}

impl ScalarFields {
    /// Adds the fields of the JSON lines in `head`. `head_is_all` says whether the source ends with it; if not, an
    /// unfinished last line does not count. Lines that are no JSON objects add what precedes the fault.
    pub fn add(&mut self, head: &[u8], head_is_all: bool) {
        let head = complete_lines(head, head_is_all);
        let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
        for line in head.split(|&byte| byte == b'\n') {
            let Ok(line) = str::from_utf8(line) else {
                continue;
            };
            let members = sonic_rs::to_object_iter(line);
            for (key, value) in members.map_while(Result::ok) {
                if !value.is_object() && !value.is_array() {
                    self.add_name(&key);
                }
            }
        }
    }

    /// Adds those of `other` that are missing.
    pub fn extend(&mut self, other: &Self) {
        for name in &other.names {
            self.add_name(name);
        }
    }

    fn add_name(&mut self, name: &str) {
        if !self.known.contains(name) {
            self.known.insert(name.to_owned());
            self.names.push(name.to_owned());
        }
    }

    /// Returns the names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

/// The lines of a head that are complete; all of them if it is the whole source.
pub(crate) fn complete_lines(head: &[u8], head_is_all: bool) -> &[u8] {
    match memrchr(b'\n', head) {
        _ if head_is_all => head,
        newline => &head[..newline.map_or(0, |newline| newline + 1)],
    }
}
