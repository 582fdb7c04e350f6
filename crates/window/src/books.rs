//! Where each post went.

use serde::{Deserialize, Serialize};

/// What became of the posts of a source. Each post is in exactly one of the counts but the first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// All posts.
    pub received: u64,
    /// Folded into a pane that was not final.
    pub on_time: u64,
    /// Folded into a final pane, within the correction time.
    pub corrected: u64,
    /// Too late for a correction, and kept aside.
    pub late: u64,
    /// Of an id that was there before.
    pub duplicate: u64,
    /// Left out on request, by language or track.
    pub filtered: u64,
    /// Malformed.
    pub rejected: u64,
    /// Workers died on it.
    pub quarantined: u64,
}

impl Books {
    /// Whether each post that was received is in exactly one of the other counts.
    #[must_use]
    pub fn balance(&self) -> bool {
        let others = [
            self.on_time,
            self.corrected,
            self.late,
            self.duplicate,
            self.filtered,
            self.rejected,
            self.quarantined,
        ];
        others.iter().sum::<u64>() == self.received
    }

    /// Adds the counts of others.
    pub fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.on_time += other.on_time;
        self.corrected += other.corrected;
        self.late += other.late;
        self.duplicate += other.duplicate;
        self.filtered += other.filtered;
        self.rejected += other.rejected;
        self.quarantined += other.quarantined;
    }

    /// Counts a post.
    pub fn count(&mut self, outcome: Outcome) {
        self.received += 1;
        let count = match outcome {
            Outcome::OnTime => &mut self.on_time,
            Outcome::Corrected => &mut self.corrected,
            Outcome::Late => &mut self.late,
            Outcome::Duplicate => &mut self.duplicate,
            Outcome::Filtered => &mut self.filtered,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Quarantined => &mut self.quarantined,
        };
        *count += 1;
    }
}

/// What became of a post; see the fields of [`Books`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of `Books` say it")]
pub enum Outcome {
    OnTime,
    Corrected,
    Late,
    Duplicate,
    Filtered,
    Rejected,
    Quarantined,
}
