//! What a worker is told before its first shard.

use serde::{Deserialize, Serialize};

use super::eval::EvalSetup;
use super::live::LiveSetup;
use super::score::ScoreSetup;

/// What every worker is told once: what to do, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Setup {
    /// Score posts.
    Score(ScoreSetup),
    /// Compare scores with labels.
    Eval(EvalSetup),
    /// Turn posts into rows.
    Live(LiveSetup),
}
