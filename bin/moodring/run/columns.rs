//! The columns of a CSV or TSV output, on which all inputs must agree.
//!
//! Inputs are compared before anything is written, except for pipes after the first: those are opened when their turn
//! comes, and compared then.

use moodring_feed::{Feed, Input, SourceId};
use moodring_record::{Layout, ModelColumns, OutputStyle, Renderer};
use thiserror::Error;

/// An input would put its values under the header of another one.
#[derive(Debug, Error)]
#[error(
    "`{first}` and `{input}` have different columns, so they cannot share a {output} output; write JSONL with -o NAME.jsonl, or score them apart"
)]
pub(crate) struct DifferentColumns {
    first: String,
    input: String,
    output: moodring_record::Format,
}

/// The columns that the output has.
#[derive(Debug)]
pub(crate) struct Columns {
    output: OutputStyle,
    models: Vec<ModelColumns>,
    agreed: Option<Agreed>,
}

/// What the first input with any columns says.
#[derive(Debug)]
struct Agreed {
    input: String,
    names: Vec<String>,
    header: Vec<u8>,
}

impl Columns {
    /// The columns on which the inputs agree that `feed` has looked at.
    pub(crate) fn find(
        output: OutputStyle,
        models: &[ModelColumns],
        feed: &Feed,
    ) -> Result<Self, DifferentColumns> {
        let mut columns = Self {
            output,
            models: models.to_vec(),
            agreed: None,
        };
        for (source, input) in (0..).map(SourceId).zip(feed.inputs()) {
            if let Some(layout) = feed.layout(source) {
                columns.agree(input, layout)?;
            }
        }
        Ok(columns)
    }

    /// Compares the columns of one more input, by their names: how a header is quoted makes no difference.
    pub(crate) fn agree(&mut self, input: &Input, layout: &Layout) -> Result<(), DifferentColumns> {
        let renderer = Renderer::new(self.output, layout, &self.models);
        let Some(header) = renderer.header() else {
            return Ok(());
        };
        match &self.agreed {
            None => {
                self.agreed = Some(Agreed {
                    input: input.name.clone(),
                    names: renderer.columns().to_vec(),
                    header,
                });
                Ok(())
            }
            Some(agreed) if agreed.names == renderer.columns() => Ok(()),
            Some(agreed) => Err(DifferentColumns {
                first: agreed.input.clone(),
                input: input.name.clone(),
                output: self.output.format,
            }),
        }
    }

    /// The header of the output; empty for JSONL.
    pub(crate) fn header(&self) -> &[u8] {
        self.agreed.as_ref().map_or(&[], |agreed| &agreed.header)
    }
}
