//! Which fields of each object are read.

use serde::{Deserialize, Serialize};

use crate::columns::FieldNames;
use crate::layout_error::LayoutError;

/// Lines of JSON objects, and what is read in each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JsonLines {
    /// Routes to the fields, at most two for each. Of two routes to the same field, the first that finds a value counts.
    pub(super) routes: Vec<Route>,
    /// The top-level keys that the scores will take.
    pub(super) added: Vec<String>,
    /// Whether a record that already has one of them is rejected. If not, the score replaces the field.
    pub(super) keeps_fields: bool,
    /// The names of the fields that were chosen for the columns of a table; empty if none were.
    pub(super) columns: Vec<String>,
    /// Whether another top-level field that holds a single value is noted.
    pub(super) notes_others: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Route {
    pub(super) field: Field,
    pub(super) keys: Vec<String>,
}

/// A field of a post.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Field {
    Text,
    Id,
    Time,
    Label,
    Lang,
    /// The extra field of this index.
    Extra(usize),
    /// The column of this index among those that were chosen.
    Column(usize),
}

/// A set of routes, by their index.
pub(super) type Routes = u64;

/// The most columns of a table that can be chosen from JSON objects. The set of their routes has this limit.
pub const MAX_COLUMNS: usize = Routes::BITS as usize / 2 - 4;

impl Route {
    /// Returns the routes to a field of this name: the name as one key, then as a path.
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

impl JsonLines {
    pub(super) fn new(fields: &FieldNames, added: &[String]) -> JsonLines {
        let named = [
            (Field::Text, Some(&fields.text)),
            (Field::Id, fields.id.as_ref()),
            (Field::Time, fields.time.as_ref()),
            (Field::Label, fields.label.as_ref()),
            (Field::Lang, fields.lang.as_ref()),
        ];
        let named = named
            .into_iter()
            .filter_map(|(field, name)| Some((field, name?)));
        let extra = (0..).map(Field::Extra).zip(&fields.extra);
        let mut routes = Vec::new();
        for (field, name) in named.chain(extra) {
            routes.extend(Route::to(field, name));
        }
        JsonLines {
            routes,
            added: added.to_vec(),
            keeps_fields: false,
            columns: Vec::new(),
            notes_others: false,
        }
    }

    /// Reads these fields too, at most [`MAX_COLUMNS`], for the columns of a table.
    pub(super) fn add_columns(&mut self, names: &[String]) {
        let names = &names[..names.len().min(MAX_COLUMNS)];
        for (index, name) in names.iter().enumerate() {
            self.routes.extend(Route::to(Field::Column(index), name));
        }
        self.columns = names.to_vec();
    }

    /// Fails if there are more routes than fit into [`Routes`].
    pub(super) fn check_size(&self) -> Result<(), LayoutError> {
        if self.routes.len() > Routes::BITS as usize {
            return Err(LayoutError::TooManyFields);
        }
        Ok(())
    }

    /// Returns the name of this field, if it was given one.
    pub(super) fn name(&self, field: Field) -> Option<&str> {
        // The first route to a field is the name as one key.
        let route = self.routes.iter().find(|route| route.field == field)?;
        route.keys.first().map(String::as_str)
    }

    /// Returns all routes.
    pub(super) fn all(&self) -> Routes {
        self.matching(Routes::MAX, |_| true)
    }

    /// Returns those of `live` that pass the test.
    pub(super) fn matching(&self, live: Routes, test: impl Fn(&Route) -> bool) -> Routes {
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
