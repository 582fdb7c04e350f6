//! Plain text: one post per line.

use super::jsonl::{JsonLines, JsonlRenderer};
use super::record_format::{
    Column, Detected, FormatSpec, Head, PostFields, RecordBody, RecordFormat,
};
use crate::columns::{FieldNames, ModelColumns, ValuesOf, find_column};
use crate::cursor::Cursor;
use crate::layout_error::LayoutError;
use crate::options::{Delimiter, Dialect, Quoting};
use crate::raw_record::RawRecord;
use crate::reject_reason::RejectReason;
use serde::{Deserialize, Serialize};

pub(crate) const TEXT: FormatSpec = FormatSpec {
    name: "text",
    aliases: &["txt"],
    extensions: &["txt", "text"],
    first_byte: None,
    quoting: Quoting::Rfc4180,
    delimiter: Delimiter::COMMA,
    has_header: false,
    names_fields: false,
};

/// The name of the only field.
const FIELD: &str = "text";

/// Lines of text. An output cannot hold scores, so it is written as JSONL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lines;

/// A line that is text and nothing else.
#[derive(Debug)]
pub(crate) struct Line;

impl RecordFormat for Lines {
    type Buffers = ();
    type Body<'p> = Line;
    type Renderer = JsonlRenderer;

    fn detect(
        _: Dialect,
        fields: &FieldNames,
        _: &[String],
        _: Head<'_>,
    ) -> Result<Detected<Self>, LayoutError> {
        let columns = [FIELD.to_owned()];
        for name in &fields.extra {
            find_column(&columns, name)?;
        }
        Ok(Detected {
            format: Lines,
            header_len: 0,
            header_lines: 0,
        })
    }

    fn choose_columns(&mut self, names: &[String]) -> Result<(), LayoutError> {
        let columns = [FIELD.to_owned()];
        for name in names {
            find_column(&columns, name)?;
        }
        Ok(())
    }

    #[inline]
    fn next_raw<'a>(&self, cursor: &mut Cursor<'a>, (): &mut ()) -> Option<RawRecord<'a>> {
        cursor.next_line(<[u8]>::is_empty)
    }

    #[inline]
    fn parse<'p>(
        &'p self,
        (): &'p mut (),
        raw: &'p str,
        terminator: &'p [u8],
    ) -> Result<(PostFields<'p>, Line), RejectReason> {
        let fields = PostFields {
            text: raw,
            id: None,
            time: None,
            label: None,
            raw,
            terminator,
        };
        Ok((fields, Line))
    }

    fn offered_columns(&self) -> Vec<(String, Column)> {
        vec![(FIELD.to_owned(), Column::Text)]
    }

    fn added_names(models: &[ModelColumns]) -> Vec<String> {
        JsonLines::added_names(models)
    }

    fn renderer<S: RecordFormat>(
        dialect: Dialect,
        source: &S,
        models: &[ModelColumns],
    ) -> JsonlRenderer {
        JsonLines::renderer(dialect, source, models)
    }
}

impl RecordBody for Line {
    /// The text is the only field that can have been named, as an extra one.
    fn for_each_value(&self, of: ValuesOf, raw: &str, each: &mut dyn FnMut(&str)) {
        if let ValuesOf::Extra(_) = of {
            each(raw);
        }
    }
}
