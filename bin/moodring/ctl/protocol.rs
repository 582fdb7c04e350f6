//! What `moodring ctl` and a run say to each other: a line of JSON each way, one question to a connection.

use moodring_live::LiveStatus;
use moodring_pool::MAX_WORKERS;
use serde::{Deserialize, Serialize};

/// A question or an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// What is going on?
    Status,
    /// Have this many workers from now on.
    Scale(u32),
    /// Take no more input, finish what is under way, and end.
    Drain,
    /// End now.
    Stop,
}

impl Request {
    /// Parses a line, from whoever sent it.
    ///
    /// # Errors
    /// What is wrong with it, as an answer.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, String> {
        match serde_json::from_slice(line) {
            Ok(Self::Scale(workers)) if !(1..=MAX_WORKERS).contains(&workers) => Err(format!(
                "a run cannot have {workers} workers; give a number from 1 to {MAX_WORKERS}"
            )),
            Ok(request) => Ok(request),
            Err(_) => Err("the run cannot understand this; is it of another version?".to_owned()),
        }
    }
}

/// The answer.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    /// To [`Request::Status`].
    Status(Box<RunStatus>),
    /// It is being done.
    Done,
    /// It cannot be done, and why.
    Refused(String),
}

/// A run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct RunStatus {
    /// The supervisor's process.
    pub(crate) pid: u32,
    /// What it does: `score`, `eval` or `live`.
    pub(crate) command: String,
    /// The file it writes, if it writes one.
    pub(crate) output: Option<String>,
    /// How long it has been at it.
    pub(crate) seconds: f64,
    /// Records done, those of earlier runs included.
    pub(crate) records: u64,
    /// Bytes of input done, as stored.
    pub(crate) bytes: u64,
    /// Bytes of input there are, if that is known.
    pub(crate) total_bytes: Option<u64>,
    /// Shards done.
    pub(crate) shards: u64,
    /// Workers started in the place of others.
    pub(crate) restarts: u64,
    /// How many workers there are to be.
    pub(crate) workers_wanted: u32,
    /// Those there are.
    pub(crate) workers: Vec<WorkerRow>,
    /// Its sources and how far they are, if it is a live run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) live: Option<LiveStatus>,
}

/// A worker.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct WorkerRow {
    pub(crate) slot: u32,
    pub(crate) pid: Option<u32>,
    /// Such as `ready` or `backoff`.
    pub(crate) state: String,
    /// The shard it is at, if it is at one.
    pub(crate) shard: Option<u64>,
    /// Records begun by this process.
    pub(crate) records: u64,
    /// Processor time that the process has used.
    pub(crate) cpu_seconds: f64,
    /// Memory that it holds.
    pub(crate) rss_bytes: u64,
    pub(crate) age_seconds: f64,
    /// How many processes this slot has had before.
    pub(crate) restarts: u32,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request() -> impl Strategy<Value = Request> {
        prop_oneof![
            Just(Request::Status),
            Just(Request::Drain),
            Just(Request::Stop),
            (1..=MAX_WORKERS).prop_map(Request::Scale),
        ]
    }

    proptest! {
        #[test]
        fn what_is_asked_is_understood(request in request()) {
            let line = serde_json::to_vec(&request)?;
            prop_assert_eq!(Request::parse(&line), Ok(request));
        }

        #[test]
        fn whatever_comes_is_a_sound_request_or_refused(
            request in request(),
            at in any::<prop::sample::Index>(),
            bytes in prop::collection::vec(any::<u8>(), 0..60),
        ) {
            let mut damaged = serde_json::to_vec(&request)?;
            let at = at.index(damaged.len() + 1);
            damaged.splice(at..at, bytes.iter().copied());
            for line in [bytes, damaged] {
                if let Ok(Request::Scale(workers)) = Request::parse(&line) {
                    prop_assert!((1..=MAX_WORKERS).contains(&workers));
                }
            }
        }
    }

    #[test]
    fn nesting_without_end_is_refused() {
        assert!(Request::parse(&vec![b'['; 1 << 20]).is_err());
        assert!(Request::parse(br#"{"scale":0}"#).is_err());
        assert!(Request::parse(br#"{"scale":4294967295}"#).is_err());
    }
}
