//! JSON: looking into one line of it, and writing strings.
//!
//! A line is good if it is one object with the text in it. What else is in the object matters only where the scores
//! will stand: members under their names are noted, so that the renderer can leave them out.

use serde::{Deserialize, Serialize};

use crate::span::Span;
use crate::{FieldNames, Reason};

mod string;
mod walk;

pub(crate) use string::write_string;

/// What is looked for in every object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Ways to the fields, at most two for each; of two to the same field the first that leads anywhere counts.
    routes: Vec<Route>,
    /// The top-level keys that the scores will take.
    added: Vec<String>,
    /// Whether a record that has one of them already is refused, and not robbed of it.
    keeps_fields: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Route {
    field: Field,
    keys: Vec<String>,
}

/// A field of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Field {
    Text,
    Id,
    Time,
    Label,
}

/// A set of routes, by their index.
type Routes = u8;

impl Wanted {
    pub(crate) fn new(fields: &FieldNames, added: &[String]) -> Wanted {
        let named = [
            (Field::Text, Some(&fields.text)),
            (Field::Id, fields.id.as_ref()),
            (Field::Time, fields.time.as_ref()),
            (Field::Label, fields.label.as_ref()),
        ];
        let mut routes = Vec::new();
        for (field, name) in named {
            let Some(name) = name else { continue };
            routes.push(Route {
                field,
                keys: vec![name.clone()],
            });
            if name.contains('.') {
                routes.push(Route {
                    field,
                    keys: name.split('.').map(str::to_owned).collect(),
                });
            }
        }
        Wanted {
            routes,
            added: added.to_vec(),
            keeps_fields: false,
        }
    }

    /// Refuses records from now on that have a field of an added name.
    pub(crate) fn keep_fields(&mut self) {
        self.keeps_fields = true;
    }

    /// What this field is called, if it was named.
    pub(crate) fn name(&self, field: Field) -> Option<&str> {
        // The first route to a field is the name in one piece.
        let route = self.routes.iter().find(|route| route.field == field)?;
        route.keys.first().map(String::as_str)
    }

    fn all(&self) -> Routes {
        self.matching(Routes::MAX, |_| true)
    }

    /// Those of `live` whose route passes the test.
    fn matching(&self, live: Routes, test: impl Fn(&Route) -> bool) -> Routes {
        let bit = |(index, route)| Routes::from(test(route)) << index;
        live & self
            .routes
            .iter()
            .enumerate()
            .map(bit)
            .fold(0, |set, bit| set | bit)
    }
}

/// What was found in one line; kept from line to line for its buffers.
#[derive(Debug, Default)]
pub(crate) struct Object {
    /// The object in its line, from brace to brace.
    pub(crate) span: Span,
    pub(crate) members: Members,
    slots: Vec<Slot>,
    /// Where strings with escapes are decoded.
    decoded: Vec<u8>,
}

/// Which members of the object stay when the scores are added.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// The others, each with one comma, in order.
    pub(crate) cuts: Vec<Span>,
    /// Whether any stays.
    pub(crate) any_kept: bool,
}

/// What one route led to.
#[derive(Debug, Default)]
struct Slot {
    value: Value,
    decoded: String,
}

#[derive(Clone, Copy, Debug, Default)]
enum Value {
    #[default]
    Absent,
    /// A string that stands in the line as it is.
    Plain(Span),
    /// A string with escapes, decoded in the slot.
    Decoded,
    Number(Span),
    /// Anything else, by what it is called.
    Other(&'static str),
}

impl Members {
    fn clear(&mut self) {
        self.cuts.clear();
        self.any_kept = false;
    }

    /// Takes note of the next member: from its key to `end`, `comma` being the one before it.
    fn push(&mut self, replaced: bool, comma: Option<usize>, key: usize, end: usize) {
        match (replaced, comma) {
            (true, Some(comma)) if self.any_kept => self.cuts.push(Span::new(comma, end)),
            // As long as nothing was kept there is one cut: from the first key on, with the commas after members.
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
    /// Reads a line, which must be one JSON object and nothing else.
    pub(crate) fn read(&mut self, wanted: &Wanted, line: &str) -> Result<(), Reason> {
        self.members.clear();
        self.slots.resize_with(wanted.routes.len(), Slot::default);
        for slot in &mut self.slots {
            slot.value = Value::Absent;
        }
        walk::line(wanted, self, line)
    }

    /// The text of the line that was read.
    pub(crate) fn text<'o>(&'o self, wanted: &Wanted, line: &'o str) -> Result<&'o str, Reason> {
        let found = match self.slot(wanted, Field::Text) {
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
                value: Value::Other(kind),
                ..
            }) => kind,
            Some(Slot {
                value: Value::Absent,
                ..
            })
            | None => return Err(Reason::TextMissing),
        };
        Err(Reason::TextNotString { found })
    }

    /// The id, time or label of the line that was read, if it is a string or a number.
    pub(crate) fn scalar<'o>(
        &'o self,
        wanted: &Wanted,
        field: Field,
        line: &'o str,
    ) -> Option<&'o str> {
        let slot = self.slot(wanted, field)?;
        match slot.value {
            Value::Plain(span) | Value::Number(span) => Some(&line[span.range()]),
            Value::Decoded => Some(&slot.decoded),
            Value::Absent | Value::Other(_) => None,
        }
    }

    fn slot(&self, wanted: &Wanted, field: Field) -> Option<&Slot> {
        let mut routes = wanted.routes.iter().zip(&self.slots);
        let found = |(route, slot): &(&Route, &Slot)| {
            route.field == field && !matches!(slot.value, Value::Absent)
        };
        routes.find(found).map(|(_, slot)| slot)
    }

    fn set(&mut self, routes: Routes, value: Value) {
        for (index, slot) in self.slots.iter_mut().enumerate() {
            if routes >> index & 1 == 1 {
                slot.value = value;
            }
        }
    }
}
