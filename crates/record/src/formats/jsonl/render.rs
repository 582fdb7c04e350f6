//! Writes scored posts as JSON objects, and recognizes those.

use std::any::Any;

use super::json_lines::JsonLines;
use super::string::write_string;
use crate::columns::{ModelColumns, sentiment_name};
use crate::formats::record_format::{Column, PostFields, RecordBody, RecordFormat, RecordRenderer};
use crate::formats::scores::{ScoreSlot, ScoreTemplate};

/// Writes scored posts as JSON objects.
#[derive(Clone, Debug)]
pub(crate) struct JsonlRenderer {
    record: Record,
    scores: ScoreTemplate,
}

#[derive(Clone, Debug)]
enum Record {
    /// The object as it stands, without the members that the scores replace and its closing brace.
    Object,
    /// These columns, each with the bytes before its value.
    Columns(Vec<(Vec<u8>, Column)>),
}

impl JsonlRenderer {
    pub(super) fn new<S: RecordFormat>(source: &S, models: &[ModelColumns]) -> JsonlRenderer {
        let record = if (source as &dyn Any).is::<JsonLines>() {
            Record::Object
        } else {
            let added = added_names(models);
            let offered = source.offered_columns().into_iter();
            let kept = offered.filter(|(name, _)| !added.contains(name));
            let columns = kept.enumerate();
            let with_key =
                |(index, (name, column)): (usize, (String, _))| (key(index > 0, &name), column);
            Record::Columns(columns.map(with_key).collect())
        };
        JsonlRenderer {
            record,
            scores: template(models),
        }
    }
}

impl RecordRenderer for JsonlRenderer {
    fn write(
        &self,
        out: &mut Vec<u8>,
        post: &PostFields<'_>,
        body: &impl RecordBody,
        scores: &[f64],
        sentiment: &str,
    ) {
        let any = match &self.record {
            Record::Object => body.write_open(out, post.raw),
            Record::Columns(columns) => {
                out.push(b'{');
                for (key, column) in columns {
                    out.extend_from_slice(key);
                    write_string(out, &column.value(post, body));
                }
                !columns.is_empty()
            }
        };
        self.scores.write(out, !any, scores, sentiment);
        out.extend_from_slice(b"\"}\n");
    }
}

/// Returns the names of the fields that are added: an object for each model, and the sentiment.
pub(super) fn added_names(models: &[ModelColumns]) -> Vec<String> {
    let mut names: Vec<_> = models.iter().map(ModelColumns::prefixed_name).collect();
    names.push(sentiment_name(models));
    names
}

/// Returns the bytes before each score and before the sentiment: `,"vader":{"neg":`, `,"neu":` … `},"sentiment":"`.
fn template(models: &[ModelColumns]) -> ScoreTemplate {
    let mut scores = Vec::new();
    let mut before = Vec::new();
    for columns in models {
        before.extend_from_slice(&key(true, &columns.prefixed_name()));
        before.push(b'{');
        for (index, score) in columns.scores.iter().enumerate() {
            before.extend_from_slice(&key(index > 0, &score.name));
            scores.push(ScoreSlot {
                before: std::mem::take(&mut before),
                decimals: score.decimals,
            });
        }
        before.push(b'}');
    }
    before.extend_from_slice(&key(true, &sentiment_name(models)));
    before.push(b'"');
    ScoreTemplate::new(scores, before)
}

fn key(comma: bool, name: &str) -> Vec<u8> {
    let mut key = vec![b','; usize::from(comma)];
    write_string(&mut key, name);
    key.push(b':');
    key
}

/// Returns whether a line ends as a scored object does: with the scores of its last model, which are an object, and the
/// sentiment.
pub(super) fn is_scored(line: &[u8]) -> bool {
    let ends = ["positive", "neutral", "negative"].map(|name| format!("sentiment\":\"{name}\"}}"));
    let mut ends = ends.iter();
    let Some(before) = ends.find_map(|end| line.strip_suffix(end.as_bytes())) else {
        return false;
    };
    // The name of the field may have a prefix.
    let quote = memchr::memrchr(b'"', before);
    quote.is_some_and(|quote| before[..quote].ends_with(b"},"))
}
