//! Writes scored posts.

use crate::columns::ModelColumns;
use crate::formats::{AnyRenderer, Format};
use crate::layout::Layout;
use crate::output_style::OutputStyle;
use crate::reader::Post;

/// Writes scored posts in the format of the output.
///
/// Where the output has the format of the source, the content of a record stays as it is, byte for byte, and the scores
/// follow. The names of the scores are known before the first post, so the bytes around them are prepared once.
#[derive(Clone, Debug)]
pub struct Renderer {
    format: AnyRenderer,
}

impl Renderer {
    /// Returns a renderer of the posts of a source with this layout.
    #[must_use]
    pub fn new(
        output: impl Into<OutputStyle>,
        layout: &Layout,
        models: &[ModelColumns],
    ) -> Renderer {
        let output = output.into();
        let source = layout.any_format();
        Renderer {
            format: source.renderer(output.format, output.dialect(), models),
        }
    }

    /// Returns the header row with its terminator. JSONL has none, nor has a source without columns.
    #[must_use]
    pub fn header(&self) -> Option<Vec<u8>> {
        self.format.header().map(<[u8]>::to_vec)
    }

    /// Returns the names in the [header](Renderer::header), without quotes; none if there is no header.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        self.format.columns()
    }

    /// Appends one scored post. `scores` are those of all models, in order; `sentiment` is a plain word.
    pub fn write(&self, out: &mut Vec<u8>, post: &Post<'_>, scores: &[f64], sentiment: &str) {
        self.format
            .write(out, post.fields(), post.body(), scores, sentiment);
    }
}

/// Returns the names of the fields or columns that are added to each record in an output of this format, in order.
#[must_use]
pub fn added_names(output: Format, models: &[ModelColumns]) -> Vec<String> {
    output.added_names(models)
}
