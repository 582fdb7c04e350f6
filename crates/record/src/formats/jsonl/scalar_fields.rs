//! Which fields of JSON objects can be columns of a table.

use sonic_rs::JsonValueTrait;

use crate::formats::record_format::Head;
use crate::scalar_fields::ScalarFields;

/// Adds the top-level fields of the complete lines in `head` that hold a string, a number, a Boolean or null. Of a line
/// that is not a JSON object, the fields before the error count.
pub(super) fn add(head: Head<'_>, fields: &mut ScalarFields) {
    for line in head.complete_lines().split(|&byte| byte == b'\n') {
        let Ok(line) = str::from_utf8(line) else {
            continue;
        };
        let members = sonic_rs::to_object_iter(line);
        for (key, value) in members.map_while(Result::ok) {
            if !value.is_object() && !value.is_array() {
                fields.add_name(&key);
            }
        }
    }
}
