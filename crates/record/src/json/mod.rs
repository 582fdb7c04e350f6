//! JSON: looking into one line of it, and writing strings.
//!
//! A line is good if it is one object with the text in it. What else is in the object matters only where the scores
//! will stand: members under their names are noted, so that the renderer can leave them out.

use serde::{Deserialize, Serialize};

use crate::span::Span;
use crate::{FieldNames, RejectReason};

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
    /// The names of the fields that were chosen for the columns of a table; empty if none were.
    columns: Vec<String>,
    /// Whether a single value in another top-level field is noted.
    notes_others: bool,
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
    /// The column of this index among those that were chosen.
    Column(usize),
}

/// A set of routes, by their index.
type Routes = u64;

/// How many columns of a table may be chosen from JSON objects: a limit of the set in which their routes are kept.
pub const MAX_COLUMNS: usize = Routes::BITS as usize / 2 - 4;

impl Route {
    /// The routes to a field of this name: the name in one piece, then as a path.
    fn to(field: Field, name: &str) -> impl Iterator<Item = Route> {
        let path = name.split('.').map(str::to_owned);
        let routes = [
            Some(vec![name.to_owned()]),
            name.contains('.').then(|| path.collect()),
        ];
        let route = move |keys| Route { field, keys };
        routes.into_iter().flatten().map(route)
    }
}

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
            routes.extend(name.into_iter().flat_map(|name| Route::to(field, name)));
        }
        Wanted {
            routes,
            added: added.to_vec(),
            keeps_fields: false,
            columns: Vec::new(),
            notes_others: false,
        }
    }

    /// Looks for these fields too, at most [`MAX_COLUMNS`], for the columns of a table.
    pub(crate) fn choose_columns(&mut self, names: &[String]) {
        let names = &names[..names.len().min(MAX_COLUMNS)];
        for (index, name) in names.iter().enumerate() {
            self.routes.extend(Route::to(Field::Column(index), name));
        }
        self.columns = names.to_vec();
    }

    /// The fields that were chosen for columns.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Notes from now on if a top-level field holds a single value and is none of those that are looked for.
    pub(crate) fn note_other_fields(&mut self) {
        self.notes_others = true;
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
        let mut found = 0;
        let mut bit = 1;
        for route in &self.routes {
            if live & bit != 0 && test(route) {
                found |= bit;
            }
            bit <<= 1;
        }
        found
    }
}

/// What was found in one line; kept from line to line for its buffers.
#[derive(Debug, Default)]
pub(crate) struct Object {
    /// The object in its line, from brace to brace.
    pub(crate) span: Span,
    pub(crate) members: Members,
    slots: Vec<Slot>,
    /// The key of the first other field, if those are noted.
    other: Option<Span>,
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
    Other(&'static str, Span),
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
    pub(crate) fn read(&mut self, wanted: &Wanted, line: &str) -> Result<(), RejectReason> {
        self.members.clear();
        self.other = None;
        self.slots.resize_with(wanted.routes.len(), Slot::default);
        for slot in &mut self.slots {
            slot.value = Value::Absent;
        }
        walk::line(wanted, self, line)
    }

    /// The text of the line that was read.
    pub(crate) fn text<'o>(
        &'o self,
        wanted: &Wanted,
        line: &'o str,
    ) -> Result<&'o str, RejectReason> {
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
            Value::Absent | Value::Other(..) => None,
        }
    }

    /// What a chosen column holds: a string decoded, nothing for null, anything else as it stands in the line.
    pub(crate) fn cell<'o>(&'o self, wanted: &Wanted, index: usize, line: &'o str) -> &'o str {
        match self.slot(wanted, Field::Column(index)) {
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

    /// Whether the line that was read has a chosen column.
    pub(crate) fn has_column(&self, wanted: &Wanted, index: usize) -> bool {
        self.slot(wanted, Field::Column(index)).is_some()
    }

    /// The key of the first other field that holds a single value, if those are noted.
    pub(crate) fn other<'o>(&self, line: &'o str) -> Option<&'o str> {
        self.other.map(|key| &line[key.range()])
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
