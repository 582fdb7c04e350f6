//! VADER.

/// The model.
#[derive(Debug, Clone, Copy, Default)]
pub struct Vader;

impl Vader {
    /// The model with its built-in lexicon.
    #[must_use]
    pub fn new() -> Self {
        Self
    }
}

impl crate::Scorer for Vader {
    fn name(&self) -> &'static str {
        "vader"
    }
    fn figures(&self) -> &'static [crate::Figure] {
        &[]
    }
    fn headline(&self) -> usize {
        3
    }
    fn score(&self, _text: &str) -> crate::Figures {
        crate::Figures::default()
    }
}
