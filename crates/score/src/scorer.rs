//! The seam between the models and those who run them.

/// No model has more figures than this.
pub const MAX_FIGURES: usize = 4;

/// How a figure is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decimals {
    /// The model rounds the figure to at most this many decimals, so that it can be written as an integer with a point.
    Rounded(u8),
    /// The figure is any double, written as the shortest decimal that reads back as itself.
    Shortest,
}

/// One of the numbers that a model gives for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figure {
    /// Its name in the output, such as `compound`.
    pub name: &'static str,
    /// How it is written.
    pub decimals: Decimals,
}

/// The figures of one text, in the order of [`Scorer::figures`]; what a model does not use stays zero.
pub type Figures = [f64; MAX_FIGURES];

/// The three classes that a text can fall into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    /// At most −0.05.
    Negative,
    /// Between the two.
    Neutral,
    /// At least 0.05.
    Positive,
}

impl Mood {
    /// Every mood, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Negative, Self::Neutral, Self::Positive];

    /// The class of a headline figure in −1..1, by the thresholds that VADER's authors give (±0.05).
    #[must_use]
    pub fn of(headline: f64) -> Self {
        if headline >= 0.05 {
            Self::Positive
        } else if headline <= -0.05 {
            Self::Negative
        } else {
            Self::Neutral
        }
    }

    /// The name in the output: `negative`, `neutral` or `positive`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Negative => "negative",
            Self::Neutral => "neutral",
            Self::Positive => "positive",
        }
    }
}

/// A model: text in, figures out.
pub trait Scorer: Send + Sync {
    /// The model's name, which is also the key of its figures in the output.
    fn name(&self) -> &'static str;

    /// What [`Scorer::score`] gives, in order.
    fn figures(&self) -> &'static [Figure];

    /// Which figure says the mood of the text, in −1..1: an index into [`Scorer::figures`].
    fn headline(&self) -> usize;

    /// The figures of `text`. Any text will do; the time is linear in its length.
    fn score(&self, text: &str) -> Figures;
}
