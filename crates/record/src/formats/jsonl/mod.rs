//! JSON Lines: one object per line.

mod json_lines;
mod object;
mod render;
mod scalar_fields;
mod string;
mod values;
mod walk;

use std::borrow::Cow;

use super::format_reader::FormatReader;
use super::record_format::{
    Column, Detected, FormatSpec, Head, PostFields, RecordBody, RecordFormat,
};
use crate::columns::{FieldNames, ModelColumns, ValuesOf};
use crate::cursor::Cursor;
use crate::layout_error::LayoutError;
use crate::options::{Delimiter, Dialect, Quoting};
use crate::raw_record::RawRecord;
use crate::reject_reason::RejectReason;
use crate::scalar_fields::ScalarFields;
use json_lines::Field;
use object::{Object, Scalars};

pub(crate) use json_lines::JsonLines;
pub use json_lines::MAX_COLUMNS;
pub(crate) use render::JsonlRenderer;
pub(crate) use string::write_string;

pub(crate) const JSONL: FormatSpec = FormatSpec {
    name: "jsonl",
    aliases: &["ndjson"],
    extensions: &["jsonl", "ndjson"],
    first_byte: Some(b'{'),
    quoting: Quoting::Rfc4180,
    delimiter: Delimiter::COMMA,
    has_header: false,
    names_fields: true,
};

/// An object that was read.
#[derive(Debug)]
pub(crate) struct ObjectBody<'p> {
    lines: &'p JsonLines,
    object: &'p Object,
}

impl RecordFormat for JsonLines {
    type Buffers = Object;
    type Body<'p> = ObjectBody<'p>;
    type Renderer = JsonlRenderer;

    fn detect(
        _: Dialect,
        fields: &FieldNames,
        added: &[String],
        _: Head<'_>,
    ) -> Result<Detected<Self>, LayoutError> {
        let format = JsonLines::new(fields, added);
        format.check_size()?;
        Ok(Detected {
            format,
            header_len: 0,
            header_lines: 0,
        })
    }

    fn keep_fields(&mut self) {
        self.keeps_fields = true;
    }

    fn choose_columns(&mut self, names: &[String]) -> Result<(), LayoutError> {
        self.add_columns(names);
        self.check_size()
    }

    fn taken(&self, _: &[String], body: &[u8], limit: usize) -> Option<String> {
        let mut lines = self.clone();
        lines.keep_fields();
        let mut reader = FormatReader::new(&lines, Cursor::new(body, limit, 0, &[]));
        while let Some(record) = reader.next_raw() {
            let reason = reader
                .parse(record, drop)
                .err()
                .map(|malformed| malformed.reason);
            if let Some(RejectReason::FieldTaken { name }) = reason {
                return Some(name);
            }
        }
        None
    }

    fn absent_columns(&self, body: &[u8], limit: usize) -> Option<Vec<String>> {
        let mut any = false;
        let mut is_absent = vec![true; self.columns.len()];
        let mut reader = FormatReader::new(self, Cursor::new(body, limit, 0, &[]));
        while let Some(record) = reader.next_raw() {
            let Ok(parsed) = reader.parse(record, |body| body) else {
                continue;
            };
            any = true;
            for (index, is_absent) in is_absent.iter_mut().enumerate() {
                *is_absent &= !parsed.body.object.has_column(self, index);
            }
        }
        let columns = self.columns.iter().zip(is_absent);
        let absent = columns.filter_map(|(name, is_absent)| is_absent.then_some(name));
        any.then(|| absent.cloned().collect())
    }

    fn note_other_fields(&mut self) {
        self.notes_others = true;
    }

    #[inline]
    fn next_raw<'a>(&self, cursor: &mut Cursor<'a>, _: &mut Object) -> Option<RawRecord<'a>> {
        cursor.next_line(is_white)
    }

    #[expect(
        clippy::inline_always,
        reason = "its large result is made in place; several readers call it"
    )]
    #[inline(always)]
    fn parse<'p>(
        &'p self,
        object: &'p mut Object,
        raw: &'p str,
        terminator: &'p [u8],
    ) -> Result<(PostFields<'p>, ObjectBody<'p>), RejectReason> {
        walk::read(self, object, raw)?;
        let object = &*object;
        let Scalars { id, time, label } = object.scalars(self, raw);
        let fields = PostFields {
            text: object.text(self, raw)?,
            id,
            time,
            label,
            raw,
            terminator,
        };
        let lines = self;
        Ok((fields, ObjectBody { lines, object }))
    }

    /// The chosen columns, else the fields that are read.
    fn offered_columns(&self) -> Vec<(String, Column)> {
        if !self.columns.is_empty() {
            let columns = self.columns.iter().cloned();
            let indexes = (0..).map(Column::Index);
            return columns.zip(indexes).collect();
        }
        let read = [
            (Field::Id, Column::Id),
            (Field::Time, Column::Time),
            (Field::Text, Column::Text),
        ];
        read.into_iter()
            .filter_map(|(field, column)| Some((self.name(field)?.to_owned(), column)))
            .collect()
    }

    /// One field for each model, which holds an object, and the sentiment.
    fn added_names(models: &[ModelColumns]) -> Vec<String> {
        render::added_names(models)
    }

    fn renderer<S: RecordFormat>(_: Dialect, source: &S, models: &[ModelColumns]) -> JsonlRenderer {
        JsonlRenderer::new(source, models)
    }

    fn is_scored(first_line: &[u8]) -> bool {
        render::is_scored(first_line)
    }

    fn add_scalar_fields(head: Head<'_>, fields: &mut ScalarFields) {
        scalar_fields::add(head, fields);
    }
}

impl RecordBody for ObjectBody<'_> {
    #[inline]
    fn write_open(&self, out: &mut Vec<u8>, raw: &str) -> bool {
        self.object.write_open(out, raw);
        self.object.members.any_kept
    }

    fn other_field<'v>(&self, raw: &'v str) -> Option<&'v str> {
        self.object.other.map(|key| &raw[key.range()])
    }

    fn for_each_value(&self, of: ValuesOf, raw: &str, each: &mut dyn FnMut(&str)) {
        let field = match of {
            ValuesOf::Lang => Field::Lang,
            ValuesOf::Extra(index) => Field::Extra(index),
        };
        self.object.for_each_value(self.lines, field, raw, each);
    }

    fn value<'v>(&'v self, index: usize, raw: &'v str) -> Cow<'v, str> {
        Cow::Borrowed(self.object.cell(self.lines, index, raw))
    }
}

/// Returns whether a line has only what JSON considers white space.
fn is_white(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}
