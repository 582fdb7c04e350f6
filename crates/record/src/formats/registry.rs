//! The list of formats, and the calls that depend on one.
//!
//! Each call is a `match` that the macro writes, so that the code of a format is known to the compiler where records are
//! read and written.

use serde::{Deserialize, Serialize};

use super::format_reader::{FormatReader, Parsed};
use super::record_format::{
    Detected, FormatSpec, Head, PostFields, RecordBody, RecordFormat, RecordRenderer,
};
use super::{delimited, jsonl, text};
use crate::columns::{FieldNames, ModelColumns, ValuesOf};
use crate::cursor::Cursor;
use crate::frame::Framing;
use crate::layout_error::LayoutError;
use crate::options::Dialect;
use crate::raw_record::{MalformedRecord, RawRecord};
use crate::scalar_fields::ScalarFields;

macro_rules! formats {
    ($($(#[$doc:meta])* $name:ident($format:ty) = $spec:expr;)+) => {
        /// How records are written down in a source or an output.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum Format {
            $($(#[$doc])* $name,)+
        }

        impl Format {
            pub(crate) const ALL: [Format; [$($spec.name),+].len()] = [$(Format::$name),+];

            pub(crate) fn spec(self) -> &'static FormatSpec {
                match self {
                    $(Format::$name => &$spec,)+
                }
            }

            pub(crate) fn detect(
                self,
                dialect: Dialect,
                fields: &FieldNames,
                added: &[String],
                head: Head<'_>,
            ) -> Result<Detected<AnyFormat>, LayoutError> {
                match self {
                    $(Format::$name => {
                        let found = <$format>::detect(dialect, fields, added, head)?;
                        Ok(Detected {
                            format: AnyFormat::$name(found.format),
                            header_len: found.header_len,
                            header_lines: found.header_lines,
                        })
                    })+
                }
            }

            pub(crate) fn added_names(self, models: &[ModelColumns]) -> Vec<String> {
                match self {
                    $(Format::$name => <$format>::added_names(models),)+
                }
            }

            pub(crate) fn is_scored(self, first_line: &[u8]) -> bool {
                match self {
                    $(Format::$name => <$format>::is_scored(first_line),)+
                }
            }

            pub(crate) fn add_scalar_fields(self, head: Head<'_>, fields: &mut ScalarFields) {
                match self {
                    $(Format::$name => <$format>::add_scalar_fields(head, fields),)+
                }
            }

            fn renderer_of<S: RecordFormat>(
                self,
                dialect: Dialect,
                source: &S,
                models: &[ModelColumns],
            ) -> AnyRenderer {
                match self {
                    $(Format::$name => {
                        AnyRenderer::$name(<$format>::renderer(dialect, source, models))
                    })+
                }
            }
        }

        /// A format, with what is known of one source.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub(crate) enum AnyFormat {
            $($name($format),)+
        }

        impl AnyFormat {
            pub(crate) fn format(&self) -> Format {
                match self {
                    $(AnyFormat::$name(_) => Format::$name,)+
                }
            }

            pub(crate) fn framing(&self) -> Framing {
                match self {
                    $(AnyFormat::$name(source) => source.framing(),)+
                }
            }

            pub(crate) fn columns(&self) -> &[String] {
                match self {
                    $(AnyFormat::$name(source) => source.columns(),)+
                }
            }

            pub(crate) fn keep_fields(&mut self) {
                match self {
                    $(AnyFormat::$name(source) => source.keep_fields(),)+
                }
            }

            pub(crate) fn choose_columns(&mut self, names: &[String]) -> Result<(), LayoutError> {
                match self {
                    $(AnyFormat::$name(source) => source.choose_columns(names),)+
                }
            }

            pub(crate) fn taken(
                &self,
                added: &[String],
                body: &[u8],
                limit: usize,
            ) -> Option<String> {
                match self {
                    $(AnyFormat::$name(source) => source.taken(added, body, limit),)+
                }
            }

            pub(crate) fn absent_columns(&self, body: &[u8], limit: usize) -> Option<Vec<String>> {
                match self {
                    $(AnyFormat::$name(source) => source.absent_columns(body, limit),)+
                }
            }

            pub(crate) fn note_other_fields(&mut self) {
                match self {
                    $(AnyFormat::$name(source) => source.note_other_fields(),)+
                }
            }

            pub(crate) fn reader<'a>(&'a self, cursor: Cursor<'a>) -> AnyReader<'a> {
                match self {
                    $(AnyFormat::$name(source) => {
                        AnyReader::$name(FormatReader::new(source, cursor))
                    })+
                }
            }

            pub(crate) fn renderer(
                &self,
                output: Format,
                dialect: Dialect,
                models: &[ModelColumns],
            ) -> AnyRenderer {
                match self {
                    $(AnyFormat::$name(source) => output.renderer_of(dialect, source, models),)+
                }
            }
        }

        /// A reader of records in some format.
        #[derive(Debug)]
        pub(crate) enum AnyReader<'a> {
            $($name(FormatReader<'a, $format>),)+
        }

        impl<'a> AnyReader<'a> {
            #[inline]
            pub(crate) fn next_raw(&mut self) -> Option<RawRecord<'a>> {
                match self {
                    $(AnyReader::$name(reader) => reader.next_raw(),)+
                }
            }

            #[inline]
            pub(crate) fn parse(
                &mut self,
                record: RawRecord<'a>,
            ) -> Result<Parsed<'_, AnyBody<'_>>, MalformedRecord<'a>> {
                match self {
                    $(AnyReader::$name(reader) => reader.parse(record, AnyBody::$name),)+
                }
            }

            pub(crate) fn cursor(&self) -> &Cursor<'a> {
                match self {
                    $(AnyReader::$name(reader) => reader.cursor(),)+
                }
            }
        }

        /// A parsed record of some format.
        #[derive(Debug)]
        pub(crate) enum AnyBody<'p> {
            $($name(<$format as RecordFormat>::Body<'p>),)+
        }

        impl AnyBody<'_> {
            pub(crate) fn other_field<'v>(&self, raw: &'v str) -> Option<&'v str> {
                match self {
                    $(AnyBody::$name(body) => body.other_field(raw),)+
                }
            }

            pub(crate) fn for_each_value(
                &self,
                of: ValuesOf,
                raw: &str,
                each: &mut dyn FnMut(&str),
            ) {
                match self {
                    $(AnyBody::$name(body) => body.for_each_value(of, raw, each),)+
                }
            }
        }

        /// A renderer of some format.
        #[derive(Clone, Debug)]
        pub(crate) enum AnyRenderer {
            $($name(<$format as RecordFormat>::Renderer),)+
        }

        impl AnyRenderer {
            pub(crate) fn header(&self) -> Option<&[u8]> {
                match self {
                    $(AnyRenderer::$name(renderer) => renderer.header(),)+
                }
            }

            pub(crate) fn columns(&self) -> &[String] {
                match self {
                    $(AnyRenderer::$name(renderer) => renderer.columns(),)+
                }
            }

            #[inline]
            pub(crate) fn write(
                &self,
                out: &mut Vec<u8>,
                post: &PostFields<'_>,
                body: &AnyBody<'_>,
                scores: &[f64],
                sentiment: &str,
            ) {
                match body {
                    $(AnyBody::$name(body) => self.write_body(out, post, body, scores, sentiment),)+
                }
            }

            #[inline]
            fn write_body(
                &self,
                out: &mut Vec<u8>,
                post: &PostFields<'_>,
                body: &impl RecordBody,
                scores: &[f64],
                sentiment: &str,
            ) {
                match self {
                    $(AnyRenderer::$name(renderer) => {
                        renderer.write(out, post, body, scores, sentiment);
                    })+
                }
            }
        }
    };
}

formats! {
    /// One JSON object per line (also known as NDJSON).
    Jsonl(jsonl::JsonLines) = jsonl::JSONL;
    /// Comma-separated rows under a header row, quoted as in RFC 4180.
    Csv(delimited::Table) = delimited::CSV;
    /// Tab-separated rows under a header row.
    Tsv(delimited::Table) = delimited::TSV;
    /// One post per line, nothing else.
    Text(text::Lines) = text::TEXT;
}
