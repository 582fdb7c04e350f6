//! What the tests here share.

use moodring_record::{FieldNames, Format, Layout, Quoting};

/// The layout of JSON posts.
pub(crate) fn layout() -> Layout {
    let fields = FieldNames {
        text: "text".to_owned(),
        ..FieldNames::default()
    };
    Layout::detect(Format::Jsonl, Quoting::Auto, &fields, &[], b"", true).unwrap()
}
