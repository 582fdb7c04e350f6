//! A set of field names in the order in which they were found.

use std::collections::HashSet;

/// The names of fields that hold a single value and can be columns of a table, each once, in the order in which they
/// first occur. [`Format::scalar_fields`](crate::Format::scalar_fields) finds them.
#[derive(Clone, Debug, Default)]
pub struct ScalarFields {
    names: Vec<String>,
    known: HashSet<String>,
}

impl ScalarFields {
    /// Adds those of `other` that are missing.
    pub fn extend(&mut self, other: &Self) {
        for name in &other.names {
            self.add_name(name);
        }
    }

    pub(crate) fn add_name(&mut self, name: &str) {
        if !self.known.contains(name) {
            self.known.insert(name.to_owned());
            self.names.push(name.to_owned());
        }
    }

    /// Returns the names.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }
}
