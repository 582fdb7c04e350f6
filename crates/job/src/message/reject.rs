//! A record that is not scored, as it travels to the supervisor.

use moodring_pool::{Exit, Quarantined};
use moodring_record::{
    Location, MalformedRecord, Post, RawRecord, RejectKind, RejectedBytes, write_reject,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a well-formed record cannot be used: it has no time, or a model cannot score it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unfit {
    /// What is wrong, as a sentence.
    pub(crate) reason: String,
    /// What kind of fault that is.
    pub(crate) kind: RejectKind,
}

/// A record that was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Its first byte in the (decompressed) input.
    pub offset: u64,
    /// Its line within the shard, from 0.
    pub line: u64,
    /// What is wrong with it, as a sentence; empty for a quarantined one.
    pub reason: String,
    /// What kind of fault that is; none for a quarantined one.
    pub kind: Option<RejectKind>,
    /// The record as it stands in the input, or its first bytes.
    #[serde(with = "serde_bytes")]
    pub raw: Vec<u8>,
    /// How long it is, if `raw` is only its beginning.
    pub len: Option<u64>,
    /// The line within the shard, from 0, in which a quote was opened that is at fault.
    pub quote_line: Option<u64>,
}

/// Says what ended the last of the workers that died on a record.
fn cause_of_death(why: &Quarantined) -> String {
    match &why.exit {
        Exit::OutOfMemory => "exceeded --max-memory".to_owned(),
        exit => exit.to_string(),
    }
}

/// Says why a record is in quarantine, as a sentence.
#[must_use]
pub fn quarantine_reason(why: &Quarantined) -> String {
    let cause = cause_of_death(why);
    format!("{} workers died on it; the last one {cause}", why.attempts)
}

impl Reject {
    /// Appends the record's line of a rejects file, from which it can be restored. `line` is its line in `source`, if that is
    /// known.
    pub fn write(&self, out: &mut Vec<u8>, source: &str, line: Option<u64>) {
        self.write_with(out, source, line, &self.reason);
    }

    /// Appends the line of a quarantine file of a record on which workers died: that of a rejects file, with what is known of
    /// their end.
    pub fn write_quarantined(
        &self,
        out: &mut Vec<u8>,
        source: &str,
        line: Option<u64>,
        why: &Quarantined,
    ) {
        self.write_with(out, source, line, &quarantine_reason(why));
        // The line is an object: what belongs to a quarantine alone goes in before its end.
        out.truncate(out.trim_ascii_end().len().saturating_sub(1));
        let (cause, words) = (
            Value::from(cause_of_death(why)),
            Value::from(&*why.last_words),
        );
        let attempts = why.attempts;
        let end = format!(",\"cause\":{cause},\"attempts\":{attempts},\"stderr\":{words}}}\n");
        out.extend_from_slice(end.as_bytes());
    }

    fn write_with(&self, out: &mut Vec<u8>, source: &str, line: Option<u64>, reason: &str) {
        let raw = RejectedBytes {
            bytes: &self.raw,
            len: self.len,
        };
        write_reject(out, source, line, self.offset, reason, raw);
    }

    /// A record on which workers died, of a shard that begins at `offset` of its input.
    pub(crate) fn quarantined(offset: u64, record: &RawRecord<'_>) -> Self {
        Self {
            offset: offset + record.location().offset,
            line: record.location().line,
            reason: String::new(),
            kind: None,
            raw: record.bytes().to_vec(),
            len: record.len_if_cut(),
            quote_line: None,
        }
    }

    /// A record that cannot be parsed, of a shard that begins at `offset` of its input.
    pub(crate) fn malformed(offset: u64, malformed: &MalformedRecord<'_>) -> Self {
        let Location { offset: at, line } = malformed.location;
        Self {
            offset: offset + at,
            line,
            reason: malformed.reason.to_string(),
            kind: Some(malformed.reason.kind()),
            raw: malformed.raw.to_vec(),
            len: malformed.len,
            quote_line: malformed.quote_line.map(|quote| line + quote),
        }
    }

    /// A record that cannot be used, of a shard that begins at `offset` of its input.
    pub(crate) fn unfit(offset: u64, post: &Post<'_>, unfit: Unfit) -> Self {
        let Location { offset: at, line } = post.location();
        Self {
            offset: offset + at,
            line,
            reason: unfit.reason,
            kind: Some(unfit.kind),
            raw: post.raw().to_vec(),
            len: None,
            quote_line: None,
        }
    }
}
