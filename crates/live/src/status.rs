//! What there is to see of a live run.

use std::time::Duration;

use moodring_source::Status;
use moodring_window::Books;
use serde::{Deserialize, Serialize};

/// A live run, for those who look at it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LiveStatus {
    /// The stream's watermark, in RFC 3339.
    pub watermark: Option<String>,
    /// The sources, in the order in which they were given.
    pub sources: Vec<SourceStatus>,
    /// How long posts took from their arrival until they were folded.
    pub latency: LatencyStatus,
    /// How often something was saved.
    pub commits: u64,
    /// Why nothing can be saved at present.
    pub trouble: Option<String>,
}

impl LiveStatus {
    /// The counts of all sources.
    #[must_use]
    pub fn totals(&self) -> Books {
        let mut all = Books::default();
        for source in &self.sources {
            all.add(&source.books);
        }
        all
    }
}

/// A source of a live run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SourceStatus {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub status: Status,
    /// What became of its posts.
    pub books: Books,
    /// How many posts had a time in the future and were given that of their arrival.
    pub clamped: u64,
    /// How long its last folded posts had waited since they arrived, in seconds.
    pub lag: f64,
    /// Where it stands, in its own terms.
    pub position: Option<u64>,
    /// Its greatest event time, in RFC 3339.
    pub newest: Option<String>,
    /// How many bytes of it wait to be folded.
    pub queued_bytes: u64,
}

/// How long posts took from their arrival until they were folded, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct LatencyStatus {
    /// Half of the posts took at most this long.
    pub p50: f64,
    /// 99 of 100 posts took at most this long.
    pub p99: f64,
    /// No post took longer.
    pub max: f64,
}

/// Counts how long posts took, in steps of about 9%.
#[derive(Debug, Clone)]
pub(crate) struct Latencies {
    counts: [u64; Self::STEPS],
    max: Duration,
}

impl Latencies {
    /// Eight for each doubling of a microsecond, up to 2³² of them.
    const STEPS: usize = 8 * 32;

    pub(crate) fn new() -> Self {
        Self {
            counts: [0; Self::STEPS],
            max: Duration::ZERO,
        }
    }

    pub(crate) fn add(&mut self, took: Duration, posts: u64) {
        if posts > 0 {
            self.counts[step(took)] += posts;
            self.max = self.max.max(took);
        }
    }

    pub(crate) fn status(&self) -> LatencyStatus {
        LatencyStatus {
            p50: self.quantile(50),
            p99: self.quantile(99),
            max: self.max.as_secs_f64() * 1e3,
        }
    }

    /// The end of the step that holds this quantile, in milliseconds.
    fn quantile(&self, percent: u64) -> f64 {
        let all: u64 = self.counts.iter().sum();
        let rank = (u128::from(all) * u128::from(percent)).div_ceil(100);
        let mut passed = 0;
        let step = self.counts.iter().position(|count| {
            passed += u128::from(*count);
            passed >= rank.max(1)
        });
        let Some(step) = step else {
            return 0.0;
        };
        #[expect(clippy::cast_precision_loss, reason = "there are 256 steps")]
        let micros = ((step + 1) as f64 / 8.0).exp2();
        (micros / 1e3).min(self.max.as_secs_f64() * 1e3)
    }
}

fn step(took: Duration) -> usize {
    let eighths = took.as_secs_f64().mul_add(1e6, 1.0).log2() * 8.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is between 0 and 8 times the logarithm of a time"
    )]
    let step = eighths as usize;
    step.min(Latencies::STEPS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_right_within_a_tenth() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.status(), LatencyStatus::default());
        latencies.add(Duration::from_millis(3), 980);
        latencies.add(Duration::from_millis(40), 15);
        latencies.add(Duration::from_secs(2), 5);
        let status = latencies.status();
        assert!((3.0..3.3).contains(&status.p50), "{status:?}");
        assert!((40.0..44.0).contains(&status.p99), "{status:?}");
        assert!((status.max - 2000.0).abs() < 1e-6);
    }
}
