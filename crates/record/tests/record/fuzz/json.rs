//! A second opinion on JSON: RFC 8259 to the letter, and what Python's `json.dumps` writes beyond it.

/// How deep a value may nest.
const MAX_DEPTH: usize = 128;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Verdict {
    /// JSON by RFC 8259.
    Strict,
    /// JSON but for `NaN`, `Infinity`, `-Infinity` or lone surrogates.
    Extended,
    /// Neither.
    No,
}

/// Judges a text. One that nests too deep, or is not UTF-8, is no JSON here.
pub(super) fn judge(text: &[u8]) -> Verdict {
    match extensions(text) {
        None => Verdict::No,
        Some(extensions) if extensions.is_empty() => Verdict::Strict,
        Some(_) => Verdict::Extended,
    }
}

/// Returns what an extended text stands for, as strict JSON: U+FFFD for lone surrogates, null for the numbers that are none.
pub(super) fn strictly(text: &[u8]) -> Option<Vec<u8>> {
    let mut strict = Vec::new();
    let mut done = 0;
    for Extension {
        start,
        end,
        strictly,
    } in extensions(text)?
    {
        strict.extend_from_slice(&text[done..start]);
        strict.extend_from_slice(strictly);
        done = end;
    }
    strict.extend_from_slice(&text[done..]);
    Some(strict)
}

/// A part of a text that is not strict JSON, and what stands for it there.
struct Extension {
    start: usize,
    end: usize,
    strictly: &'static [u8],
}

/// The extensions in a text, in order; `None` if it is no JSON even with them.
fn extensions(text: &[u8]) -> Option<Vec<Extension>> {
    let mut judge = Judge {
        text,
        rest: text,
        extensions: Vec::new(),
    };
    std::str::from_utf8(text).ok()?;
    judge.value(0)?;
    judge.blank();
    judge.rest.is_empty().then_some(judge.extensions)
}

/// Eats a text from the front; `None` where it is wrong.
struct Judge<'t> {
    text: &'t [u8],
    rest: &'t [u8],
    extensions: Vec<Extension>,
}

impl Judge<'_> {
    fn blank(&mut self) {
        let is_blank = |byte: &&u8| b" \t\r\n".contains(byte);
        let blanks = self.rest.iter().take_while(is_blank).count();
        self.rest = &self.rest[blanks..];
    }

    fn eat(&mut self, token: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    fn value(&mut self, depth: usize) -> Option<()> {
        self.blank();
        match self.peek()? {
            b'{' | b'[' if depth == MAX_DEPTH => None,
            b'{' => self.list(b'}', |judge| {
                judge.string()?;
                judge.blank();
                judge.eat(b":")?;
                judge.value(depth + 1)
            }),
            b'[' => self.list(b']', |judge| judge.value(depth + 1)),
            b'"' => self.string(),
            b't' => self.eat(b"true"),
            b'f' => self.eat(b"false"),
            b'n' => self.eat(b"null"),
            b'N' => self.beyond(b"NaN"),
            b'I' => self.beyond(b"Infinity"),
            b'-' if self.rest.starts_with(b"-I") => self.beyond(b"-Infinity"),
            _ => self.number(),
        }
    }

    fn beyond(&mut self, token: &[u8]) -> Option<()> {
        let start = self.at();
        self.eat(token)?;
        self.extend(start, self.at(), b"null");
        Some(())
    }

    fn at(&self) -> usize {
        self.text.len() - self.rest.len()
    }

    fn extend(&mut self, start: usize, end: usize, strictly: &'static [u8]) {
        self.extensions.push(Extension {
            start,
            end,
            strictly,
        });
    }

    fn list(&mut self, end: u8, item: impl Fn(&mut Self) -> Option<()>) -> Option<()> {
        self.rest = &self.rest[1..];
        self.blank();
        if self.peek()? == end {
            return self.eat(&[end]);
        }
        loop {
            self.blank();
            item(self)?;
            self.blank();
            if self.eat(b",").is_none() {
                return self.eat(&[end]);
            }
        }
    }

    fn digits(&mut self) -> Option<()> {
        let digits = self
            .rest
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        self.rest = &self.rest[digits..];
        (digits > 0).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.eat(b"-");
        if self.eat(b"0").is_none() {
            self.digits()?;
        }
        if self.eat(b".").is_some() {
            self.digits()?;
        }
        if self.eat(b"e").is_some() || self.eat(b"E").is_some() {
            let _ = self.eat(b"+").or_else(|| self.eat(b"-"));
            self.digits()?;
        }
        Some(())
    }

    fn string(&mut self) -> Option<()> {
        self.eat(b"\"")?;
        // Where a high surrogate begins that waits for the low one that follows it.
        let mut open = None;
        loop {
            let start = self.at();
            let byte = self.peek()?;
            self.rest = &self.rest[1..];
            let unit = match byte {
                b'"' => {
                    self.lone(open);
                    return Some(());
                }
                b'\\' => self.escape()?,
                0..=0x1f => return None,
                _ => 0,
            };
            let is_low = (0xdc00..0xe000).contains(&unit);
            if open.is_none() || !is_low {
                self.lone(open);
                self.lone(is_low.then_some(start));
            }
            open = (0xd800..0xdc00).contains(&unit).then_some(start);
        }
    }

    /// Takes note of a surrogate without another half, if one begins there.
    fn lone(&mut self, start: Option<usize>) {
        if let Some(start) = start {
            self.extend(start, start + 6, "\u{fffd}".as_bytes());
        }
    }

    /// Eats an escape after its backslash; its UTF-16 unit, or 0 for a short one.
    fn escape(&mut self) -> Option<u16> {
        let kind = self.peek()?;
        self.rest = &self.rest[1..];
        if kind != b'u' {
            return b"\"\\/bfnrt".contains(&kind).then_some(0);
        }
        let (digits, rest) = self.rest.split_at_checked(4)?;
        self.rest = rest;
        let digits = std::str::from_utf8(digits).ok()?;
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        u16::from_str_radix(digits, 16).ok().filter(|_| is_hex)
    }
}
