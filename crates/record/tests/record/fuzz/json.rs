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
    let mut judge = Judge {
        rest: text,
        extended: false,
    };
    let is_value = std::str::from_utf8(text).is_ok() && judge.value(0).is_some();
    judge.blank();
    match (is_value && judge.rest.is_empty(), judge.extended) {
        (false, _) => Verdict::No,
        (true, false) => Verdict::Strict,
        (true, true) => Verdict::Extended,
    }
}

/// Eats a text from the front; `None` where it is wrong.
struct Judge<'t> {
    rest: &'t [u8],
    extended: bool,
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
        self.extended = true;
        self.eat(token)
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
        // A high surrogate waits for the low one that follows it.
        let mut is_open = false;
        loop {
            let byte = self.peek()?;
            self.rest = &self.rest[1..];
            let unit = match byte {
                b'"' => {
                    self.extended |= is_open;
                    return Some(());
                }
                b'\\' => self.escape()?,
                0..=0x1f => return None,
                _ => 0,
            };
            let is_low = (0xdc00..0xe000).contains(&unit);
            self.extended |= is_open != is_low;
            is_open = (0xd800..0xdc00).contains(&unit);
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
