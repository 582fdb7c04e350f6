//! Which fields of JSON objects can be columns of a table.

use memchr::memrchr;
use sonic_rs::JsonValueTrait;

/// Adds to `names` the top-level fields of the JSON lines in `head` that hold a string, a number, a truth value or null, in
/// the order in which they first occur. `head_is_all` says whether the source ends with it; if not, an unfinished last
/// line does not count. Lines that are no JSON objects add what precedes the fault.
///
/// ```
/// let mut names = Vec::new();
/// let head = b"{\"id\":1,\"user\":{\"name\":\"ann\"}}\n{\"id\":2,\"text\":\"hi\"}\n{\"cut";
/// moodring_record::scalar_fields(head, false, &mut names);
/// assert_eq!(names, ["id", "text"]);
/// ```
pub fn scalar_fields(head: &[u8], head_is_all: bool, names: &mut Vec<String>) {
    let end = match memrchr(b'\n', head) {
        _ if head_is_all => head.len(),
        newline => newline.map_or(0, |newline| newline + 1),
    };
    let head = head[..end]
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(&head[..end]);
    for line in head.split(|&byte| byte == b'\n') {
        let Ok(line) = str::from_utf8(line) else {
            continue;
        };
        let members = sonic_rs::to_object_iter(line);
        for (key, value) in members.map_while(Result::ok) {
            let is_scalar = !value.is_object() && !value.is_array();
            if is_scalar && !names.iter().any(|name| *name == *key) {
                names.push(key.to_string());
            }
        }
    }
}
