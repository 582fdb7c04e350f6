//! CSV and TSV: rows under a header.

mod render;
mod row;
mod table;

use std::borrow::Cow;

use super::record_format::{
    Column, Detected, FormatSpec, Head, PostFields, RecordBody, RecordFormat,
};
use crate::columns::{FieldNames, ModelColumns, ValuesOf};
use crate::cursor::Cursor;
use crate::frame::Framing;
use crate::layout_error::LayoutError;
use crate::options::{Delimiter, Dialect, Quoting};
use crate::raw_record::{RawRecord, WholeRecord};
use crate::reject_reason::RejectReason;
use render::RowRenderer;
use row::{Field, Row, scan_row};

pub(crate) use table::Table;

pub(crate) const CSV: FormatSpec = FormatSpec {
    name: "csv",
    aliases: &[],
    extensions: &["csv"],
    first_byte: None,
    quoting: Quoting::Rfc4180,
    delimiter: Delimiter::COMMA,
    has_header: true,
    names_fields: false,
};

pub(crate) const TSV: FormatSpec = FormatSpec {
    name: "tsv",
    extensions: &["tsv", "tab"],
    quoting: Quoting::None,
    delimiter: Delimiter::TAB,
    ..CSV
};

/// The fields of the current row, and room to decode those that a post shows.
#[derive(Debug, Default)]
pub(crate) struct RowBuffers {
    fields: Vec<Field>,
    text: String,
    id: String,
    time: String,
    label: String,
}

/// The fields of a row.
#[derive(Debug)]
pub(crate) struct RowBody<'p> {
    fields: &'p [Field],
    table: &'p Table,
}

impl RecordFormat for Table {
    type Buffers = RowBuffers;
    type Body<'p> = RowBody<'p>;
    type Renderer = RowRenderer;

    fn detect(
        dialect: Dialect,
        fields: &FieldNames,
        _: &[String],
        head: Head<'_>,
    ) -> Result<Detected<Self>, LayoutError> {
        Table::read_header(dialect, fields, head)
    }

    fn framing(&self) -> Framing {
        let Dialect { delimiter, quotes } = self.dialect;
        if quotes {
            Framing::Quoted { delimiter }
        } else {
            Framing::Lines
        }
    }

    fn columns(&self) -> &[String] {
        &self.columns
    }

    fn choose_columns(&mut self, names: &[String]) -> Result<(), LayoutError> {
        self.choose(names)
    }

    fn taken(&self, added: &[String], _: &[u8], _: usize) -> Option<String> {
        let mut columns = self.columns.iter();
        columns.find(|name| added.contains(name)).cloned()
    }

    /// Leaves the fields in `buffers`.
    #[inline]
    fn next_raw<'a>(
        &self,
        cursor: &mut Cursor<'a>,
        buffers: &mut RowBuffers,
    ) -> Option<RawRecord<'a>> {
        cursor.skip_empty_lines();
        if let Some(error) = cursor.next_known_error() {
            return Some(error);
        }
        let (location, rest) = (cursor.location(), cursor.rest());
        if rest.is_empty() {
            return None;
        }
        let within = &rest[..rest.len().min(cursor.limit())];
        // A row that the limit cuts off ends there too.
        let is_whole = |row: &Row| {
            row.next < within.len() || within.len() == rest.len() || within.ends_with(b"\n")
        };
        let row = match scan_row(self.dialect, within, &mut buffers.fields) {
            Ok(row) if is_whole(&row) => row,
            Ok(_) | Err(_) => return Some(cursor.next_error(self.framing())),
        };
        cursor.pass(row.next, row.lines);
        let (raw, terminator) = rest[..row.next].split_at(row.len);
        Some(RawRecord::whole(WholeRecord {
            location,
            raw,
            terminator,
        }))
    }

    #[expect(
        clippy::inline_always,
        reason = "its large result is made in place; two formats call it"
    )]
    #[inline(always)]
    fn parse<'p>(
        &'p self,
        buffers: &'p mut RowBuffers,
        raw: &'p str,
        terminator: &'p [u8],
    ) -> Result<(PostFields<'p>, RowBody<'p>), RejectReason> {
        let RowBuffers {
            fields,
            text,
            id,
            time,
            label,
        } = buffers;
        let (has, header) = (fields.len(), self.columns.len());
        if has != header {
            return Err(RejectReason::Ragged { has, header });
        }
        let post = PostFields {
            text: fields[self.text].decode(raw, text),
            id: self.id.map(|column| fields[column].decode(raw, id)),
            time: self.time.map(|column| fields[column].decode(raw, time)),
            label: self.label.map(|column| fields[column].decode(raw, label)),
            raw,
            terminator,
        };
        let table = self;
        Ok((post, RowBody { fields, table }))
    }

    /// The chosen columns, else all of the header.
    fn offered_columns(&self) -> Vec<(String, Column)> {
        let column = |index: usize| (self.columns[index].clone(), Column::Index(index));
        match &self.chosen {
            Some(chosen) => chosen.iter().copied().map(column).collect(),
            None => (0..self.columns.len()).map(column).collect(),
        }
    }

    fn terminator(&self) -> &'static str {
        if self.ends_with_crlf { "\r\n" } else { "\n" }
    }

    /// One column for each score of each model, and the sentiment.
    fn added_names(models: &[ModelColumns]) -> Vec<String> {
        render::added_names(models)
    }

    fn renderer<S: RecordFormat>(
        dialect: Dialect,
        source: &S,
        models: &[ModelColumns],
    ) -> RowRenderer {
        RowRenderer::new(dialect, source, models)
    }

    fn is_scored(first_line: &[u8]) -> bool {
        render::is_scored(first_line)
    }
}

impl RecordBody for RowBody<'_> {
    /// An empty field has no value.
    fn for_each_value(&self, of: ValuesOf, raw: &str, each: &mut dyn FnMut(&str)) {
        let column = match of {
            ValuesOf::Lang => self.table.lang,
            ValuesOf::Extra(index) => self.table.extra.get(index).copied(),
        };
        let field = column.and_then(|column| self.fields.get(column));
        match field.map(|field| field.value(raw)) {
            Some(value) if !value.is_empty() => each(&value),
            _ => {}
        }
    }

    fn value<'v>(&'v self, index: usize, raw: &'v str) -> Cow<'v, str> {
        self.fields[index].value(raw)
    }

    fn token<'v>(&'v self, index: usize, raw: &'v str) -> &'v str {
        self.fields[index].token(raw)
    }
}
