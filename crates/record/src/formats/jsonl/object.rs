//! What one line holds.
//!
//! A line is well formed if it is one object with the text in it. Its other members matter only where the scores will
//! stand: members of the same name are noted, so that the renderer can leave them out.

use super::json_lines::{Field, JsonLines, Route, Routes};
use super::values::for_each_value_in;
use crate::reject_reason::RejectReason;
use crate::span::Span;

/// The values found in one line; kept from line to line for its allocations.
#[derive(Debug, Default)]
pub(crate) struct Object {
    /// The object in its line, from brace to brace.
    pub(super) span: Span,
    pub(super) members: Members,
    pub(super) slots: Vec<Slot>,
    /// The key of the first other field, if those are noted.
    pub(super) other: Option<Span>,
    /// Scratch space in which strings with escapes are decoded.
    pub(super) decoded: Vec<u8>,
}

/// The fields of a post beside its text.
#[derive(Debug, Default)]
pub(super) struct Scalars<'o> {
    pub(super) id: Option<&'o str>,
    pub(super) time: Option<&'o str>,
    pub(super) label: Option<&'o str>,
}

/// Which members of the object remain when the scores are added.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// The others, each with one comma, in order.
    pub(super) cuts: Vec<Span>,
    /// Whether any remains.
    pub(super) any_kept: bool,
}

/// The value at the end of one route.
#[derive(Debug, Default)]
pub(super) struct Slot {
    value: Value,
    pub(super) decoded: String,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) enum Value {
    #[default]
    Absent,
    /// A string that stands in the line as it is.
    Plain(Span),
    /// A string with escapes, decoded in the slot.
    Decoded,
    Number(Span),
    /// Any other value, with the name of its type.
    Other(&'static str, Span),
}

impl Members {
    fn clear(&mut self) {
        self.cuts.clear();
        self.any_kept = false;
    }

    /// Adds the next member, from its key to `end`; `comma` is the one before it.
    pub(super) fn push(&mut self, replaced: bool, comma: Option<usize>, key: usize, end: usize) {
        match (replaced, comma) {
            (true, Some(comma)) if self.any_kept => self.cuts.push(Span::new(comma, end)),
            // Until a member is kept there is one cut: from the first key on, with the commas after members.
            (true, _) => match self.cuts.last_mut() {
                Some(leading) => leading.end = end,
                None => self.cuts.push(Span::new(key, end)),
            },
            (false, _) => {
                if let Some(leading) = self.cuts.last_mut().filter(|_| !self.any_kept) {
                    leading.end = key;
                }
                self.any_kept = true;
            }
        }
    }
}

impl Object {
    /// Forgets the line that was read.
    pub(super) fn clear(&mut self, lines: &JsonLines) {
        self.members.clear();
        self.other = None;
        self.slots.resize_with(lines.routes.len(), Slot::default);
        for slot in &mut self.slots {
            slot.value = Value::Absent;
        }
    }

    /// Appends the object without its closing brace and without the members that scores replace.
    #[inline]
    pub(super) fn write_open(&self, out: &mut Vec<u8>, line: &str) {
        let Span { mut start, end } = self.span;
        for cut in &self.members.cuts {
            out.extend_from_slice(&line.as_bytes()[start..cut.start]);
            start = cut.end;
        }
        out.extend_from_slice(&line.as_bytes()[start..end - 1]);
    }

    /// Returns the text of the line that was read.
    #[inline]
    pub(super) fn text<'o>(
        &'o self,
        lines: &JsonLines,
        line: &'o str,
    ) -> Result<&'o str, RejectReason> {
        let found = match self.slot(lines, Field::Text) {
            Some(Slot {
                value: Value::Plain(span),
                ..
            }) => return Ok(&line[span.range()]),
            Some(Slot {
                value: Value::Decoded,
                decoded,
            }) => return Ok(decoded),
            Some(Slot {
                value: Value::Number(_),
                ..
            }) => "a number",
            Some(Slot {
                value: Value::Other(kind, _),
                ..
            }) => kind,
            Some(Slot {
                value: Value::Absent,
                ..
            })
            | None => return Err(RejectReason::TextMissing),
        };
        Err(RejectReason::TextNotString { found })
    }

    /// Returns the id, time and label of the line that was read, those that are strings or numbers.
    #[inline]
    pub(super) fn scalars<'o>(&'o self, lines: &JsonLines, line: &'o str) -> Scalars<'o> {
        // Most runs read the text alone.
        if self.slots.len() == 1 {
            return Scalars::default();
        }
        Scalars {
            id: self.scalar(lines, Field::Id, line),
            time: self.scalar(lines, Field::Time, line),
            label: self.scalar(lines, Field::Label, line),
        }
    }

    fn scalar<'o>(&'o self, lines: &JsonLines, field: Field, line: &'o str) -> Option<&'o str> {
        let slot = self.slot(lines, field)?;
        match slot.value {
            Value::Plain(span) | Value::Number(span) => Some(&line[span.range()]),
            Value::Decoded => Some(&slot.decoded),
            Value::Absent | Value::Other(..) => None,
        }
    }

    /// Returns the value of a chosen column: a string decoded, nothing for null, any other value as it stands in the line.
    pub(super) fn cell<'o>(&'o self, lines: &JsonLines, index: usize, line: &'o str) -> &'o str {
        match self.slot(lines, Field::Column(index)) {
            None => "",
            Some(slot) => match slot.value {
                Value::Decoded => &slot.decoded,
                Value::Absent | Value::Other("null", _) => "",
                Value::Plain(span) | Value::Number(span) | Value::Other(_, span) => {
                    &line[span.range()]
                }
            },
        }
    }

    /// Calls `each` with each value of a field: several for an array, none for null and objects.
    pub(super) fn for_each_value(
        &self,
        lines: &JsonLines,
        field: Field,
        line: &str,
        each: &mut dyn FnMut(&str),
    ) {
        let Some(slot) = self.slot(lines, field) else {
            return;
        };
        match slot.value {
            Value::Decoded => each(&slot.decoded),
            Value::Plain(span) | Value::Number(span) => each(&line[span.range()]),
            Value::Other(_, span) => for_each_value_in(&line[span.range()], each),
            Value::Absent => {}
        }
    }

    /// Returns whether the line that was read has a chosen column.
    pub(super) fn has_column(&self, lines: &JsonLines, index: usize) -> bool {
        self.slot(lines, Field::Column(index)).is_some()
    }

    fn slot(&self, lines: &JsonLines, field: Field) -> Option<&Slot> {
        let mut routes = lines.routes.iter().zip(&self.slots);
        let found = |(route, slot): &(&Route, &Slot)| {
            route.field == field && !matches!(slot.value, Value::Absent)
        };
        routes.find(found).map(|(_, slot)| slot)
    }

    /// Sets the value at the end of these routes.
    pub(super) fn set(&mut self, routes: Routes, value: Value) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if routes >> index & 1 == 1 {
                slot.value = value;
            }
        }
    }
}
