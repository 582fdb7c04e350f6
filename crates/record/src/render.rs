//! Scored posts back to bytes.
//!
//! What was in the record stays as it is, byte for byte, wherever the output has the format of the source; the scores
//! follow. Which names the scores take is known before the first post comes, so all that stands between the scores
//! is made ready once, and writing a post is copying a few slices.

use crate::delimited::{Dialect, Field, scan_row, write_field};
use crate::json::{self, write_string};
use crate::layout::Shape;
use crate::number::write_score;
use crate::reader::Body;
use crate::span::Span;
use crate::table::Table;
use crate::{Format, Layout, ModelColumns, OutputStyle, Post};

/// Writes scored posts in the format of the output.
#[derive(Clone, Debug)]
pub struct Renderer {
    header: Option<Vec<u8>>,
    columns: Vec<String>,
    record: Record,
    scores: Vec<ScoreSlot>,
    /// What stands before the sentiment, and after it.
    before_sentiment: Vec<u8>,
    end: End,
}

/// How the record itself is written.
#[derive(Clone, Debug)]
enum Record {
    /// The object, but for the members that the scores replace and its closing brace.
    Object,
    /// The row as it stands.
    Row,
    /// Field by field, each with what stands before it.
    Fields {
        open: &'static [u8],
        fields: Vec<(Vec<u8>, Source)>,
        encoding: Encoding,
    },
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Text,
    Id,
    Time,
    Column(usize),
    /// A chosen field of an object.
    Cell(usize),
}

#[derive(Clone, Copy, Debug)]
enum Encoding {
    Json,
    Delimited(Dialect),
    /// Fields of a row in a dialect that the output shares: as they stand, quotes and all.
    Tokens,
}

#[derive(Clone, Debug)]
struct ScoreSlot {
    before: Vec<u8>,
    decimals: Option<u8>,
}

#[derive(Clone, Debug)]
enum End {
    Object,
    /// The row's own terminator, or this one for a record that has none.
    Row(Vec<u8>),
}

impl Renderer {
    /// A renderer of the posts of a source with this layout.
    #[must_use]
    pub fn new(
        output: impl Into<OutputStyle>,
        layout: &Layout,
        models: &[ModelColumns],
    ) -> Renderer {
        let output = output.into();
        match output.format {
            Format::Jsonl | Format::Text => Renderer::jsonl(layout, models),
            Format::Csv | Format::Tsv => Renderer::delimited(output, layout, models),
        }
    }

    fn jsonl(layout: &Layout, models: &[ModelColumns]) -> Renderer {
        let (scores, before_sentiment) = json_scores(models);
        let added = added_names(Format::Jsonl, models);
        let columns = columns(layout)
            .into_iter()
            .filter(|(name, _)| !added.contains(name));
        let record = match layout.shape() {
            Shape::Objects(_) => Record::Object,
            Shape::Texts | Shape::Rows(_) => Record::Fields {
                open: b"{",
                fields: columns
                    .enumerate()
                    .map(|(index, (name, source))| (json_key(index > 0, &name), source))
                    .collect(),
                encoding: Encoding::Json,
            },
        };
        Renderer {
            header: None,
            columns: Vec::new(),
            record,
            scores,
            before_sentiment,
            end: End::Object,
        }
    }

    fn delimited(output: OutputStyle, layout: &Layout, models: &[ModelColumns]) -> Renderer {
        let delimiter = output.delimiter.byte();
        let dialect = Dialect {
            delimiter,
            quotes: output.quotes,
        };
        // Rows that are written as the output's own are copied; others are taken apart and written anew.
        let source = match layout.shape() {
            Shape::Rows(table) if table.dialect == dialect => Some(table),
            _ => None,
        };
        let scores = added_names(output.format, models);
        let all = columns(layout);
        let count = all.len();
        let kept: Vec<_> = all
            .into_iter()
            .filter(|(name, _)| !scores.contains(name))
            .collect();

        let terminator = match layout.shape() {
            Shape::Rows(table) => table.terminator.clone().into_bytes(),
            Shape::Texts | Shape::Objects(_) => b"\n".to_vec(),
        };
        let header = header(dialect, source, &kept, &scores, &terminator);
        let names = kept.iter().map(|(name, _)| name);
        let columns = match count {
            0 => Vec::new(),
            _ => names.chain(&scores).cloned().collect(),
        };
        let record = match source {
            Some(table) if kept.len() == count && table.chosen.is_none() => Record::Row,
            _ => Record::Fields {
                open: b"",
                fields: kept
                    .into_iter()
                    .enumerate()
                    .map(|(index, (_, source))| (vec![delimiter; usize::from(index > 0)], source))
                    .collect(),
                encoding: source.map_or(Encoding::Delimited(dialect), |_| Encoding::Tokens),
            },
        };
        let scores = models.iter().flat_map(|columns| &columns.scores);
        Renderer {
            header: (count > 0).then_some(header),
            columns,
            record,
            scores: scores
                .map(|score| ScoreSlot {
                    before: vec![delimiter],
                    decimals: score.decimals,
                })
                .collect(),
            before_sentiment: vec![delimiter],
            end: End::Row(terminator),
        }
    }

    /// The header row with its terminator. There is none in JSONL, nor for a source that lacks one itself.
    #[must_use]
    pub fn header(&self) -> Option<Vec<u8>> {
        self.header.clone()
    }

    /// The names in the [header](Renderer::header), whichever way they are quoted there; none if there is no header.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Appends one scored post. `scores` are those of all models, in order; `sentiment` is a plain word.
    pub fn write(&self, out: &mut Vec<u8>, post: &Post<'_>, scores: &[f64], sentiment: &str) {
        debug_assert_eq!(scores.len(), self.scores.len(), "one value for each score");
        let any = self.write_record(out, post);
        // The separator is the first byte of what follows the record; where nothing precedes it is left out.
        let mut skipped = usize::from(!any);
        for (score, &value) in self.scores.iter().zip(scores) {
            out.extend_from_slice(&score.before[skipped..]);
            write_score(out, value, score.decimals);
            skipped = 0;
        }
        out.extend_from_slice(&self.before_sentiment[skipped..]);
        out.extend_from_slice(sentiment.as_bytes());
        match &self.end {
            End::Object => out.extend_from_slice(b"\"}\n"),
            End::Row(own) if post.terminator().is_empty() => out.extend_from_slice(own),
            End::Row(_) => out.extend_from_slice(post.terminator()),
        }
    }

    /// Appends the record, ready for more to follow; says whether there is anything for it to follow.
    fn write_record(&self, out: &mut Vec<u8>, post: &Post<'_>) -> bool {
        match (&self.record, post.body()) {
            (Record::Object, Body::Object(_, object)) => {
                write_object(out, object, post.raw());
                object.members.any_kept
            }
            (
                Record::Fields {
                    open,
                    fields,
                    encoding,
                },
                body,
            ) => {
                out.extend_from_slice(open);
                for (before, source) in fields {
                    out.extend_from_slice(before);
                    write_source(out, *source, *encoding, post, body);
                }
                !fields.is_empty()
            }
            (Record::Row | Record::Object, _) => {
                out.extend_from_slice(post.raw());
                true
            }
        }
    }
}

/// Appends an object without its closing brace and without the members that go.
fn write_object(out: &mut Vec<u8>, object: &json::Object, line: &[u8]) {
    let Span { mut start, end } = object.span;
    for cut in &object.members.cuts {
        out.extend_from_slice(&line[start..cut.start]);
        start = cut.end;
    }
    out.extend_from_slice(&line[start..end - 1]);
}

fn write_source(
    out: &mut Vec<u8>,
    source: Source,
    encoding: Encoding,
    post: &Post<'_>,
    body: Body<'_>,
) {
    let field = match (source, body) {
        (Source::Text, _) => return write_value(out, encoding, post.text()),
        (Source::Id, _) => return write_value(out, encoding, post.id().unwrap_or_default()),
        (Source::Time, _) => return write_value(out, encoding, post.time().unwrap_or_default()),
        (Source::Cell(index), Body::Object(wanted, object)) => {
            return write_value(out, encoding, object.cell(wanted, index, post.raw_str()));
        }
        (Source::Column(index), Body::Row(fields)) => fields[index],
        (Source::Column(_) | Source::Cell(_), _) => return,
    };
    match encoding {
        Encoding::Tokens => out.extend_from_slice(field.token(post.raw())),
        _ => write_value(out, encoding, &field.value(post.raw_str())),
    }
}

fn write_value(out: &mut Vec<u8>, encoding: Encoding, value: &str) {
    match encoding {
        Encoding::Json => write_string(out, value),
        Encoding::Delimited(dialect) => write_field(out, dialect, value),
        Encoding::Tokens => out.extend_from_slice(value.as_bytes()),
    }
}

/// What a record of this source offers to an output of another format, in order.
fn columns(layout: &Layout) -> Vec<(String, Source)> {
    match layout.shape() {
        Shape::Texts => vec![("text".to_owned(), Source::Text)],
        Shape::Objects(wanted) if !wanted.columns().is_empty() => {
            let cells = wanted.columns().iter().cloned().enumerate();
            cells
                .map(|(index, name)| (name, Source::Cell(index)))
                .collect()
        }
        Shape::Objects(wanted) => [
            (json::Field::Id, Source::Id),
            (json::Field::Time, Source::Time),
            (json::Field::Text, Source::Text),
        ]
        .into_iter()
        .filter_map(|(field, source)| Some((wanted.name(field)?.to_owned(), source)))
        .collect(),
        Shape::Rows(table) => {
            let column = |index: usize| (table.columns[index].clone(), Source::Column(index));
            match &table.chosen {
                Some(chosen) => chosen.iter().copied().map(column).collect(),
                None => (0..table.columns.len()).map(column).collect(),
            }
        }
    }
}

/// The names of the fields or columns that are added to each record in an output of this format, in order.
#[must_use]
pub fn added_names(output: Format, models: &[ModelColumns]) -> Vec<String> {
    let mut names = Vec::new();
    for columns in models {
        let name = model_name(columns);
        match output {
            Format::Jsonl | Format::Text => names.push(name),
            Format::Csv | Format::Tsv => {
                let scores = columns.scores.iter();
                names.extend(scores.map(|score| format!("{name}_{}", score.name)));
            }
        }
    }
    names.push(sentiment_name(models));
    names
}

fn model_name(columns: &ModelColumns) -> String {
    format!("{}{}", columns.prefix, columns.model)
}

fn sentiment_name(models: &[ModelColumns]) -> String {
    let prefix = models.first().map_or("", |columns| &columns.prefix);
    format!("{prefix}sentiment")
}

/// The header row; where the `source` has the same dialect, its names stand as they stood there.
fn header(
    dialect: Dialect,
    source: Option<&Table>,
    kept: &[(String, Source)],
    scores: &[String],
    terminator: &[u8],
) -> Vec<u8> {
    let mut tokens: Vec<Field> = Vec::new();
    if let Some(table) = source {
        // It had no fault when the layout was found.
        let _ = scan_row(dialect, table.header.as_bytes(), &mut tokens);
    }
    let mut header = Vec::new();
    for (name, column) in kept {
        match (source, column) {
            (Some(table), Source::Column(index)) if *index < tokens.len() => {
                header.extend_from_slice(tokens[*index].token(table.header.as_bytes()));
            }
            _ => write_field(&mut header, dialect, name),
        }
        header.push(dialect.delimiter);
    }
    for (index, name) in scores.iter().enumerate() {
        if index > 0 {
            header.push(dialect.delimiter);
        }
        write_field(&mut header, dialect, name);
    }
    header.extend_from_slice(terminator);
    header
}

/// What stands before each score and before the sentiment: `,"vader":{"neg":`, `,"neu":` … `},"sentiment":"`.
fn json_scores(models: &[ModelColumns]) -> (Vec<ScoreSlot>, Vec<u8>) {
    let mut scores = Vec::new();
    let mut before = Vec::new();
    for columns in models {
        before.extend_from_slice(&json_key(true, &model_name(columns)));
        before.push(b'{');
        for (index, score) in columns.scores.iter().enumerate() {
            before.extend_from_slice(&json_key(index > 0, &score.name));
            scores.push(ScoreSlot {
                before: std::mem::take(&mut before),
                decimals: score.decimals,
            });
        }
        before.push(b'}');
    }
    before.extend_from_slice(&json_key(true, &sentiment_name(models)));
    before.push(b'"');
    (scores, before)
}

fn json_key(comma: bool, name: &str) -> Vec<u8> {
    let mut key = vec![b','; usize::from(comma)];
    write_string(&mut key, name);
    key.push(b':');
    key
}
