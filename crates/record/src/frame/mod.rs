//! Finds where records end.

mod framer;
mod framing_error;

pub(crate) use framer::Framing;
pub use framer::{Boundary, Framer};
pub(crate) use framing_error::EXCERPT_LEN;
pub use framing_error::{FramingError, FramingErrorKind};
