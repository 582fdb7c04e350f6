//! One line of JSON: is it an object, where in it are text, id and time, and which of its members will be replaced.
//!
//! The tokens (strings, numbers, literals, white space) are read by sonic-rs, which does that many bytes at a time;
//! the grammar between them is here. sonic-rs has faster ways to walk an object, but they are too trusting for input
//! that nobody has checked: they take `"\u12"` and lone surrogates for strings, recurse once per bracket until the
//! stack is gone, and ignore what follows the object. Here a string is always decoded (borrowed where there is nothing
//! to decode), nesting is a counter with a limit, and the line must end where the object does.

use serde::{Deserialize, Serialize};
use sonic_rs::Read;
use sonic_rs::parser::Parser;

use crate::span::Span;
use crate::{FieldNames, ModelColumns, Reason};

/// How deep objects and arrays may nest; `serde_json` draws the line here too.
const MAX_DEPTH: usize = 128;

/// What is looked for in every object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Wanted {
    /// Ways to the fields, at most two for each; of two to the same field the first that leads anywhere counts.
    routes: Vec<Route>,
    /// The top-level keys that the scores will take.
    replaced: Vec<String>,
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
}

/// A set of routes, by their index.
type Routes = u8;

impl Wanted {
    pub(crate) fn new(fields: &FieldNames, models: &[ModelColumns]) -> Wanted {
        let named = [
            (Field::Text, Some(&fields.text)),
            (Field::Id, fields.id.as_ref()),
            (Field::Time, fields.time.as_ref()),
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
        let models = models.iter().map(|columns| columns.model.clone());
        Wanted {
            routes,
            replaced: models.chain(["sentiment".to_owned()]).collect(),
        }
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
        Walk {
            parser: Parser::new(Read::from(line)),
            wanted,
            object: self,
        }
        .line()
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

    /// The id or time of the line that was read, if it is a string or a number.
    pub(crate) fn label<'o>(
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

/// One pass over a line.
struct Walk<'w, 'l> {
    parser: Parser<Read<'l>>,
    wanted: &'w Wanted,
    object: &'w mut Object,
}

impl Walk<'_, '_> {
    fn line(&mut self) -> Result<(), Reason> {
        if self.parser.skip_space() != Some(b'{') {
            return Err(Reason::NotAnObject);
        }
        let start = self.parser.offset() - 1;
        self.members(0, self.wanted.all())?;
        self.object.span = Span::new(start, self.parser.offset());
        match self.parser.skip_space() {
            Some(_) => Err(self.bad("something follows the object")),
            None => Ok(()),
        }
    }

    /// The members of an object whose brace was just passed, `depth` objects down the `live` routes. As deep as this
    /// recurses, somebody wrote a name with that many dots.
    fn members(&mut self, depth: usize, live: Routes) -> Result<(), Reason> {
        if depth == MAX_DEPTH {
            return Err(self.too_deep());
        }
        let mut comma = None;
        loop {
            match self.token()? {
                b'"' => {}
                b'}' if comma.is_none() => return Ok(()),
                _ => return Err(self.bad("a key in quotes should stand here")),
            }
            let key = self.parser.offset() - 1;
            let (routes, replaced) = self.key(depth, live)?;
            self.value(depth, routes)?;
            if depth == 0 {
                self.object
                    .members
                    .push(replaced, comma, key, self.parser.offset());
            }
            match self.token()? {
                b'}' => return Ok(()),
                b',' => comma = Some(self.parser.offset() - 1),
                _ => return Err(self.bad("a comma or a closing brace should stand here")),
            }
        }
    }

    /// A key and its colon: which of the `live` routes go on from here, and whether the member will be replaced.
    fn key(&mut self, depth: usize, live: Routes) -> Result<(Routes, bool), Reason> {
        let key = self
            .parser
            .parse_str(&mut self.object.decoded)
            .map_err(told)?;
        let routes = match live {
            0 => 0,
            live => self.wanted.matching(live, |route| {
                route.keys.get(depth).is_some_and(|name| **name == *key)
            }),
        };
        let replaced = depth == 0 && self.wanted.replaced.iter().any(|name| **name == *key);
        self.colon()?;
        Ok((routes, replaced))
    }

    fn colon(&mut self) -> Result<(), Reason> {
        match self.token()? {
            b':' => Ok(()),
            _ => Err(self.bad("a colon should stand here")),
        }
    }

    /// A value, remembered for those of `routes` that end here. Of equal keys the last wins, as in Python and serde.
    fn value(&mut self, depth: usize, routes: Routes) -> Result<(), Reason> {
        let token = self.token()?;
        if routes == 0 {
            return match token {
                b'{' | b'[' => self.nested(token, depth),
                _ => self.scalar(token),
            };
        }
        let ending = self
            .wanted
            .matching(routes, |route| route.keys.len() == depth + 1);
        let going_on = routes & !ending;
        self.object.set(routes, Value::Absent);
        let start = self.parser.offset() - 1;
        let value = match token {
            b'"' => self.string(start, ending)?,
            b'{' if going_on != 0 => {
                self.members(depth + 1, going_on)?;
                Value::Other("an object")
            }
            b'{' | b'[' => {
                self.nested(token, depth)?;
                Value::Other(if token == b'{' {
                    "an object"
                } else {
                    "an array"
                })
            }
            _ => {
                self.scalar(token)?;
                match token {
                    b'n' => Value::Other("null"),
                    b't' | b'f' => Value::Other("a boolean"),
                    _ => Value::Number(Span::new(start, self.parser.offset())),
                }
            }
        };
        self.object.set(ending, value);
        Ok(())
    }

    /// The string whose opening quote is at `start`, wanted by `routes`.
    fn string(&mut self, start: usize, routes: Routes) -> Result<Value, Reason> {
        let text = self
            .parser
            .parse_str(&mut self.object.decoded)
            .map_err(told)?;
        let end = self.parser.offset();
        // Every escape is longer than what it stands for.
        if text.len() == end - start - 2 {
            return Ok(Value::Plain(Span::new(start + 1, end - 1)));
        }
        for (index, slot) in self.object.slots.iter_mut().enumerate() {
            if routes >> index & 1 == 1 {
                slot.decoded.clear();
                slot.decoded.push_str(&text);
            }
        }
        Ok(Value::Decoded)
    }

    /// The rest of an array or object in which nothing is wanted, `depth` levels below the top.
    fn nested(&mut self, open: u8, depth: usize) -> Result<(), Reason> {
        // One bit for each container that is open, the innermost last: is it an object?
        let mut objects = u128::from(open == b'{');
        let mut open_count = 1;
        let mut empty = true;
        while open_count > 0 {
            let in_object = objects & 1 == 1;
            let mut token = self.token()?;
            if token == if in_object { b'}' } else { b']' } {
                objects >>= 1;
                open_count -= 1;
                empty = false;
                continue;
            }
            if !empty {
                if token != b',' {
                    return Err(self.bad("a comma or a closing bracket should stand here"));
                }
                token = self.token()?;
            }
            if in_object {
                if token != b'"' {
                    return Err(self.bad("a key in quotes should stand here"));
                }
                self.scalar(token)?;
                self.colon()?;
                token = self.token()?;
            }
            empty = matches!(token, b'{' | b'[');
            if !empty {
                self.scalar(token)?;
                continue;
            }
            if depth + 1 + open_count >= MAX_DEPTH {
                return Err(self.too_deep());
            }
            objects = objects << 1 | u128::from(token == b'{');
            open_count += 1;
        }
        Ok(())
    }

    /// The rest of a string, number or literal.
    fn scalar(&mut self, token: u8) -> Result<(), Reason> {
        match token {
            b'"' => self.parser.parse_str(&mut self.object.decoded).map(drop),
            b'-' | b'0'..=b'9' => self.parser.skip_number(token).map(drop),
            b't' => self.parser.parse_literal("rue"),
            b'f' => self.parser.parse_literal("alse"),
            b'n' => self.parser.parse_literal("ull"),
            _ => return Err(self.bad("a value should stand here")),
        }
        .map_err(told)
    }

    /// The next byte that is no white space.
    fn token(&mut self) -> Result<u8, Reason> {
        self.parser
            .skip_space()
            .ok_or_else(|| self.bad("the line ends too early"))
    }

    #[cold]
    fn bad(&self, what: &str) -> Reason {
        Reason::BadJson {
            column: self.parser.offset(),
            what: what.to_owned(),
        }
    }

    #[cold]
    fn too_deep(&self) -> Reason {
        self.bad("arrays and objects nest more than 128 deep")
    }
}

/// What sonic-rs says, without its picture of the place.
#[cold]
#[expect(clippy::needless_pass_by_value, reason = "it is given to map_err")]
fn told(error: sonic_rs::Error) -> Reason {
    let shown = error.to_string();
    let what = shown.split(" at line ").next().unwrap_or_default();
    let what = if error.is_eof() {
        "the line ends too early"
    } else {
        what
    };
    Reason::BadJson {
        column: error.offset() + 1,
        what: what.to_ascii_lowercase(),
    }
}

/// Appends a JSON string.
pub(crate) fn write_string(out: &mut Vec<u8>, value: &str) {
    out.push(b'"');
    let bytes = value.as_bytes();
    let mut copied = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[copied..index]);
        copied = index + 1;
        write_escape(out, byte);
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

fn write_escape(out: &mut Vec<u8>, byte: u8) {
    let short = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let hex = |digit: u8| b"0123456789abcdef"[usize::from(digit)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', hex(byte >> 4), hex(byte & 15)]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
