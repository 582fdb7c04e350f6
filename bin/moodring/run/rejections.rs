//! Notices that a run rejects most of its records, and says why and what to do.
//!
//! A rejected record is set aside and the run continues, which is right for some of them. Where it is most of them, the
//! command was probably not what was meant: the text has another name, or the input another format. A person should
//! learn that early, and even if the run is to be quiet.

use std::collections::BTreeMap;

use moodring_job::Reject;
use moodring_record::{RejectKind, nearest_name};
use serde_json::Value;

/// After this many records it is clear how a run goes.
const EARLY: u64 = 10_000;

/// A record that is longer is not looked into for the names of its fields.
const MAX_EXAMPLE: usize = 64 << 10;

/// How many names of fields are listed.
const LISTED: usize = 12;

/// How many names of fields are looked at, and how deep.
const MAX_NAMES: usize = 500;
const MAX_DEPTH: usize = 4;

/// Counts of rejected records, by reason.
#[derive(Debug)]
pub(crate) struct Rejections {
    text_field: String,
    records: u64,
    rejected: u64,
    reasons: BTreeMap<RejectKind, Found>,
    /// The rejects of earlier runs, of which this one knows no more.
    prior: BTreeMap<RejectKind, u64>,
    is_judged: bool,
}

/// The records that were rejected for one reason.
#[derive(Debug)]
struct Found {
    count: u64,
    /// Where the first one is.
    place: String,
    /// What is wrong with it.
    reason: String,
    /// The record.
    raw: Vec<u8>,
}

impl Rejections {
    /// None so far. `text_field` is what the text was said to be called.
    pub(crate) fn new(text_field: &str) -> Self {
        Self {
            text_field: text_field.to_owned(),
            records: 0,
            rejected: 0,
            reasons: BTreeMap::new(),
            prior: BTreeMap::new(),
            is_judged: false,
        }
    }

    /// Counts a rejected record of the input called `name`.
    pub(crate) fn reject(&mut self, name: &str, line: Option<u64>, reject: &Reject) {
        self.rejected += 1;
        let Some(kind) = reject.kind else { return };
        let found = self.reasons.entry(kind).or_insert_with(|| Found {
            count: 0,
            place: match line {
                Some(line) => format!("{name}: line {line}"),
                None => format!("{name}: byte {}", reject.offset),
            },
            reason: reject.reason.clone(),
            raw: reject.raw[..reject.raw.len().min(MAX_EXAMPLE)].to_vec(),
        });
        found.count += 1;
    }

    /// Counts what earlier runs did that this one continues. If that was enough to judge by, they did.
    pub(crate) fn continue_after(&mut self, records: u64, reasons: &BTreeMap<RejectKind, u64>) {
        self.records += records;
        self.rejected += reasons.values().sum::<u64>();
        self.prior.clone_from(reasons);
        self.is_judged |= self.records + self.rejected >= EARLY;
    }

    /// Counts records that were not rejected.
    pub(crate) fn accept(&mut self, records: u64) {
        self.records += records;
    }

    /// A warning if most of the first records were rejected; once.
    pub(crate) fn early_warning(&mut self) -> Option<String> {
        let seen = self.records + self.rejected;
        if self.is_judged || seen < EARLY {
            return None;
        }
        self.is_judged = true;
        (self.rejected > self.records).then(|| {
            self.told(&format!(
                "{} of the first {seen} records are rejected",
                self.rejected
            ))
        })
    }

    /// A warning if, of a whole run with so many records and rejects, most are rejects.
    pub(crate) fn final_warning(&self, records: u64, rejected: u64) -> Option<String> {
        (rejected > records).then(|| match records {
            0 => self.told(&format!("all records are rejected ({rejected})")),
            _ => self.told(&format!(
                "{rejected} of {} records are rejected",
                records + rejected
            )),
        })
    }

    /// What happened, the commonest reason for it, and what to do.
    fn told(&self, what: &str) -> String {
        let prior = |kind: &RejectKind| self.prior.get(kind).copied().unwrap_or(0);
        let here = |kind: &RejectKind| self.reasons.get(kind).map_or(0, |found| found.count);
        let mut kinds: Vec<_> = self.reasons.keys().chain(self.prior.keys()).collect();
        kinds.sort_unstable();
        let Some(kind) = kinds
            .into_iter()
            .max_by_key(|kind| prior(kind) + here(kind))
        else {
            return what.to_owned();
        };
        let count = prior(kind) + here(kind);
        // What an earlier run rejected was not seen by this one.
        let Some(found) = self.reasons.get(kind) else {
            let advice = advice(*kind, &self.text_field, b"");
            return format!(
                "{what}; the most frequent reason ({count}) was met by the earlier run; {advice}"
            );
        };
        let Found {
            place, reason, raw, ..
        } = found;
        let met = if prior(kind) == 0 {
            "is first met at"
        } else {
            "was met by the earlier run too, and in this one first at"
        };
        let advice = advice(*kind, &self.text_field, raw);
        format!("{what}; the most frequent reason ({count}) {met} {place}: {reason}; {advice}")
    }
}

/// What to do if most records are rejected for such a reason. `raw` is one of them.
fn advice(kind: RejectKind, text_field: &str, raw: &[u8]) -> String {
    match kind {
        RejectKind::TextMissing | RejectKind::TextNotString => other_field(text_field, raw),
        RejectKind::BadJson | RejectKind::NotAnObject if raw.starts_with(b"[") => {
            "a JSON array is not JSON lines; write an object to a line, as `jq -c '.[]'` does".to_owned()
        }
        RejectKind::BadJson | RejectKind::NotAnObject => {
            "if the input is not JSON lines, say what it is with --format csv, tsv or text".to_owned()
        }
        RejectKind::FieldTaken => {
            "give the scores other names with --prefix NAME, or add --replace if it may go".to_owned()
        }
        RejectKind::BadUtf8 => "convert the input to UTF-8, as `iconv -t UTF-8` does".to_owned(),
        RejectKind::Ragged => {
            "check that --format is right, and read quotes as text with --quoting none if fields hold lone ones".to_owned()
        }
        RejectKind::TextAfterQuote | RejectKind::UnclosedQuote => {
            "if quotes are part of the text, add --quoting none".to_owned()
        }
        RejectKind::TooLong => "check that --format is right, or raise --max-record".to_owned(),
        RejectKind::Time => "check that --time-field names the field with the time".to_owned(),
        RejectKind::NotScored => "choose another --model for these records".to_owned(),
    }
}

/// Which fields a JSON record has, and which of them may be the text.
fn other_field(text_field: &str, raw: &[u8]) -> String {
    let Ok(Value::Object(object)) = serde_json::from_slice(raw) else {
        return "name the text with --text-field".to_owned();
    };
    let (mut texts, shown) = (Vec::new(), object.len().min(LISTED));
    collect_texts("", &object, &mut texts);
    let names: Vec<String> = texts.iter().map(|(name, _)| name.clone()).collect();
    let longest = texts.iter().max_by_key(|(_, length)| *length);
    let likely = nearest_name(&names, text_field).or_else(|| longest.map(|(name, _)| name.clone()));
    let quoted = |name: &str| format!("`{}`", name.escape_debug());
    let mut listed: Vec<String> = object.keys().take(shown).map(|name| quoted(name)).collect();
    if object.len() > shown {
        listed.push(format!("{} more", object.len() - shown));
    }
    let fields = match &listed[..] {
        [] => "the record has no fields".to_owned(),
        listed => format!("its fields are {}", listed.join(", ")),
    };
    match likely.filter(|name| name != text_field) {
        Some(name) => format!(
            "{fields}; name the text with --text-field, perhaps {}",
            quoted(&name)
        ),
        None => format!("{fields}; name the text with --text-field"),
    }
}

/// The strings in an object by their paths, with their lengths.
fn collect_texts(
    above: &str,
    object: &serde_json::Map<String, Value>,
    texts: &mut Vec<(String, usize)>,
) {
    for (name, value) in object {
        let path = if above.is_empty() {
            name.clone()
        } else {
            format!("{above}.{name}")
        };
        match value {
            _ if texts.len() == MAX_NAMES => return,
            Value::String(text) => texts.push((path, text.len())),
            Value::Object(inner) if path.split('.').count() < MAX_DEPTH => {
                collect_texts(&path, inner, texts);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(kind: RejectKind, raw: &str) -> Reject {
        Reject {
            offset: 0,
            line: 0,
            reason: "the reason".to_owned(),
            kind: Some(kind),
            raw: raw.as_bytes().to_vec(),
            len: None,
            quote_line: None,
        }
    }

    #[test]
    fn the_first_ten_thousand_records_are_judged_once() {
        let mut rejections = Rejections::new("text");
        for _ in 0..5_000 {
            rejections.reject("a", Some(1), &reject(RejectKind::BadJson, "x"));
        }
        assert_eq!(rejections.early_warning(), None, "too early");
        rejections.reject("a", Some(9), &reject(RejectKind::BadUtf8, "x"));
        rejections.accept(4_999);
        let warning = rejections.early_warning().unwrap();
        assert!(
            warning.starts_with(
                "5001 of the first 10000 records are rejected; the most frequent reason (5000) is first met at a: line 1: the reason; "
            ),
            "{warning}"
        );
        assert_eq!(rejections.early_warning(), None);
    }

    #[test]
    fn what_earlier_runs_rejected_counts_too() {
        let prior = BTreeMap::from([(RejectKind::BadJson, 900), (RejectKind::BadUtf8, 3)]);
        let mut rejections = Rejections::new("text");
        rejections.continue_after(50, &prior);
        rejections.reject("a", Some(1_000), &reject(RejectKind::BadJson, "x"));
        let warning = rejections.final_warning(50, 904).unwrap();
        assert!(
            warning.starts_with(
                "904 of 954 records are rejected; the most frequent reason (901) was met by the earlier run too, \
                 and in this one first at a: line 1000: "
            ),
            "{warning}"
        );
        // The first ten thousand were judged by the run that met them.
        let prior = BTreeMap::from([(RejectKind::BadJson, 9_000)]);
        let mut rejections = Rejections::new("text");
        rejections.continue_after(1_000, &prior);
        assert_eq!(rejections.early_warning(), None);
        let warning = rejections.final_warning(1_000, 9_000).unwrap();
        assert!(
            warning.contains("reason (9000) was met by the earlier run; "),
            "{warning}"
        );
    }

    #[test]
    fn half_of_the_records_are_no_reason_to_warn() {
        let mut rejections = Rejections::new("text");
        for _ in 0..6_000 {
            rejections.reject("a", None, &reject(RejectKind::BadJson, "x"));
        }
        rejections.accept(6_000);
        assert_eq!(rejections.early_warning(), None);
        assert_eq!(rejections.final_warning(6_000, 6_000), None);
        assert!(rejections.final_warning(5_999, 6_000).is_some());
    }

    #[test]
    fn the_field_that_may_be_meant_is_named() {
        let advised = |text_field, raw| advice(RejectKind::TextMissing, text_field, raw);
        assert_eq!(
            advised("text", br#"{"id":7,"Text":"x","body":"a longer one"}"#),
            "its fields are `id`, `Text`, `body`; name the text with --text-field, perhaps `Text`"
        );
        assert_eq!(
            advised("text", br#"{"id":"7","post":{"content":"what a day"}}"#),
            "its fields are `id`, `post`; name the text with --text-field, perhaps `post.content`"
        );
        assert_eq!(
            advised("text", br#"{"a\u001b[31m":1}"#),
            "its fields are `a\\u{1b}[31m`; name the text with --text-field"
        );
        assert!(advised("text", b"{}").starts_with("the record has no fields"));
    }
}
