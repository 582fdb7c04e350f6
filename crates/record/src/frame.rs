//! Finding where records end: the one place that says so, for the supervisor that cuts and for the workers that read.
//!
//! A record begins where the one before it ends, or where reading resumes after a reject. Let `limit` be the layout's
//! [`max_record`](crate::Layout::max_record). From the record's first byte, at most `limit` bytes are looked at:
//!
//! - Without quoting the record is a line. With quoting, a newline inside quotes belongs to its field.
//! - If a closing quote is followed by anything but a delimiter or a line end, if the source ends inside quotes, or if
//!   the record does not end within `limit` bytes, the record is a *framing error*: a reject that reaches to the end of the line
//!   in which the last quote was opened (without an open quote: of the line that the limit falls into). Reading resumes
//!   on the next line.
//!
//! So where a record ends depends on the bytes from its start on and on nothing else, and every byte is looked at
//! a bounded number of times: past the line of a quote that does not close there are only doubled quotes up to the place
//! where that is known, and none of the lines between can open a quote that reaches further than its own line.

use std::ops::Range;

use memchr::{memchr, memchr_iter, memchr2, memrchr};
use serde::{Deserialize, Serialize};

use crate::delimited::Dialect;
use crate::{Layout, RejectReason};

/// How much of a long reject is kept.
pub(crate) const EXCERPT_LEN: usize = 1 << 10;

/// How far a framer goes on, in bytes, before it looks for a record's start. So that nothing is looked for at each quote,
/// and little is looked at twice when the start must be known.
const MAX_BEHIND: usize = 16 << 10;

/// A record whose end cannot be found by the rules, and which is therefore a reject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FramingError {
    /// Where it begins in the (decompressed) source.
    pub offset: u64,
    /// How many bytes it has, with the end of its last line.
    pub len: u64,
    /// How many lines it has.
    pub lines: u64,
    /// How many lines of it come before the one in which the quote was opened.
    pub quote_line: u64,
    /// The column that the quote opens, counted from 1; none if it is no quote that is at fault.
    pub column: Option<u64>,
    /// What is wrong.
    pub kind: FramingErrorKind,
    /// The first bytes of a record that is longer than the limit; for others, their shard has the bytes.
    pub excerpt: Vec<u8>,
}

/// What is wrong with a record whose end cannot be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FramingErrorKind {
    /// Something other than a delimiter or a line end follows a closing quote.
    TextAfterQuote,
    /// The source ends inside quotes.
    UnclosedQuote,
    /// The record does not end within the limit.
    TooLong,
}

impl FramingError {
    /// A line that is longer than the limit, of which `bytes` are the first ones and more than the limit.
    #[must_use]
    pub fn long_line(offset: u64, len: u64, bytes: &[u8], limit: usize) -> FramingError {
        FramingError {
            offset,
            len,
            lines: 1,
            quote_line: 0,
            column: None,
            kind: FramingErrorKind::TooLong,
            excerpt: bytes[..bytes.len().min(limit).min(EXCERPT_LEN)].to_vec(),
        }
    }

    pub(crate) fn reason(&self, limit: usize) -> RejectReason {
        let column = self
            .column
            .map_or(0, |column| usize::try_from(column).unwrap_or(usize::MAX));
        match self.kind {
            FramingErrorKind::TextAfterQuote => RejectReason::TextAfterQuote { column },
            FramingErrorKind::UnclosedQuote => RejectReason::UnclosedQuote { column },
            FramingErrorKind::TooLong if column > 0 => RejectReason::QuoteTooLong { column, limit },
            FramingErrorKind::TooLong => RejectReason::TooLong { limit },
        }
    }
}

/// What a [`Framer`] has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// A shard may end here, at this offset in the window.
    End(usize),
    /// The window holds too little to tell.
    NeedMore,
    /// The record that begins at this offset in the window is a reject that is longer than the limit, and the end of its
    /// last line is not looked for here: see [`Framer::oversized`].
    Oversized(usize),
}

/// Finds record ends in a stream of bytes that begins at a record.
///
/// It is shown a window of the stream that grows at its end ([`next`](Framer::next)) and shrinks at its beginning
/// ([`discard`](Framer::discard)), and looks at no byte of it twice.
///
/// ```
/// # use moodring_record::{Boundary, FieldNames, Format, Framer, Layout, Quoting};
/// let source = b"text\n\"one\npost\"\nanother\n";
/// let names = FieldNames { text: "text".into(), ..FieldNames::default() };
/// let layout = Layout::detect(Format::Csv, Quoting::Auto, &names, &[], source, true)?;
///
/// let body = &source[5..];
/// let mut framer = Framer::new(&layout, 5);
/// assert_eq!(framer.next(&body[..8], false, 1), Boundary::NeedMore);
/// assert_eq!(framer.next(body, true, 1), Boundary::End(11));
/// # Ok::<(), moodring_record::LayoutError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Framer {
    /// The delimiter, if quotes mean anything here.
    delimiter: Option<u8>,
    limit: usize,
    /// Where the window begins in the source.
    base: u64,
    /// The start of the record that `settled` is in: that of `at`, or an earlier one.
    start: usize,
    /// A place outside quotes, up to which no record ends after `start`. Moved only where somebody must know the start.
    settled: usize,
    /// Where the stretch outside quotes begins that `at` is in.
    outside: usize,
    /// The first byte that was not looked at.
    at: usize,
    state: State,
    errors: Vec<FramingError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Outside quotes: a newline ends the record, and a quote at the start of a field opens.
    Outside,
    /// Inside the quotes that were opened there.
    Inside { quote: usize },
    /// Just past a quote that closes those opened there, unless another one follows at once: that makes a doubled quote.
    Closing { quote: usize },
    /// In a reject, which ends with the line that `at` is in.
    Rejected {
        kind: FramingErrorKind,
        quote: Option<usize>,
    },
}

impl Framer {
    /// A framer that stands at the start of a record, `offset` bytes into the source.
    #[must_use]
    pub fn new(layout: &Layout, offset: u64) -> Framer {
        let dialect = layout.dialect().filter(|dialect| dialect.quotes);
        Framer::with(dialect, layout.max_record(), offset)
    }

    pub(crate) fn with(quoted: Option<Dialect>, limit: usize, offset: u64) -> Framer {
        Framer {
            delimiter: quoted.map(|dialect| dialect.delimiter),
            limit,
            base: offset,
            start: 0,
            settled: 0,
            outside: 0,
            at: 0,
            state: State::Outside,
            errors: Vec::new(),
        }
    }

    /// Looks for the first record end at or after `min` (and after 0). `ended` says that nothing comes after the window.
    /// The window must begin with the one of the call before, less what was [discarded](Framer::discard).
    ///
    /// At the end of the source that end is a record end too. Rejects before it are to be had from
    /// [`take_errors`](Framer::take_errors).
    pub fn next(&mut self, window: &[u8], ended: bool, min: usize) -> Boundary {
        loop {
            let step = match self.state {
                State::Outside => self.outside(window, ended, min),
                State::Inside { quote } => self.inside(window, ended, quote),
                State::Closing { quote } => self.closing(window, ended, quote),
                State::Rejected { kind, quote } => self.rejected(window, ended, min, kind, quote),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// How much of the window is of no use any more; at a record's end, all that is before it.
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.start
    }

    /// Takes note that `len` bytes, at most [`consumed`](Framer::consumed), have left the window at its beginning.
    pub fn discard(&mut self, len: usize) {
        self.base += len as u64;
        self.start -= len;
        self.settled -= len;
        self.outside = self.outside.saturating_sub(len);
        self.at -= len;
        if let State::Inside { quote }
        | State::Closing { quote }
        | State::Rejected {
            quote: Some(quote), ..
        } = &mut self.state
        {
            *quote -= len;
        }
    }

    /// The rejects that were found since the last call, in order.
    pub fn take_errors(&mut self) -> Vec<FramingError> {
        std::mem::take(&mut self.errors)
    }

    /// After [`Boundary::Oversized`]: the reject, as long as it is known to be, and the window's part of it. Whoever asks adds
    /// to its length what comes up to the next newline and with it, and [starts anew](Framer::new) behind that.
    #[must_use]
    pub fn oversized(&self, window: &[u8]) -> FramingError {
        let (kind, quote) = match self.state {
            State::Rejected { kind, quote } => (kind, quote),
            _ => (FramingErrorKind::TooLong, None),
        };
        let end = self.record_limit().min(window.len());
        let mut error = self.error(window, kind, quote, end);
        let excerpt = &window[self.start..end.min(self.start + EXCERPT_LEN)];
        error.excerpt = excerpt.to_vec();
        error
    }

    fn outside(&mut self, window: &[u8], ended: bool, min: usize) -> Option<Boundary> {
        let from = (min.max(1) - 1).clamp(self.at, window.len().max(self.at));
        let stop = self.next_stop(window, from);
        let seen = stop.map_or(window.len(), |stop| stop + 1);
        if seen > self.record_limit() {
            self.settle(window, self.at);
            if self.pass_lines(window, seen) {
                return None;
            }
        }
        let Some(stop) = stop else {
            self.at = window.len();
            if ended {
                self.begin(window.len());
                return Some(Boundary::End(window.len()));
            }
            self.settle(window, window.len());
            return Some(Boundary::NeedMore);
        };
        if window[stop] == b'\n' {
            self.begin(stop + 1);
            return Some(Boundary::End(stop + 1));
        }
        self.at = stop + 1;
        if self.opens(window, stop) {
            if stop - self.settled > MAX_BEHIND {
                self.settle_cheaply(window, stop);
            }
            self.state = State::Inside { quote: stop };
            self.pass_plain_field(window, stop);
        }
        None
    }

    /// Passes over the field that begins with this quote, if the next quote ends it, as most do; else over what comes up to
    /// that quote.
    #[inline]
    fn pass_plain_field(&mut self, window: &[u8], quote: usize) {
        let end = window.len().min(self.record_limit());
        let Some(close) = memchr(b'"', &window[self.at.min(end)..end]) else {
            self.at = self.at.max(end);
            return;
        };
        self.at += close + 1;
        self.state = State::Closing { quote };
        if self.at < end && (window[self.at] == b'\n' || Some(window[self.at]) == self.delimiter) {
            self.leave();
        }
    }

    /// The next quote, or newline at or after `from`.
    fn next_stop(&self, window: &[u8], from: usize) -> Option<usize> {
        if self.delimiter.is_none() {
            return memchr(b'\n', &window[from..]).map(|newline| from + newline);
        }
        if let Some(quote) = memchr(b'"', &window[self.at..from]) {
            return Some(self.at + quote);
        }
        memchr2(b'"', b'\n', &window[from..]).map(|stop| from + stop)
    }

    /// Goes over the lines from `settled` to `end`, all outside quotes, one by one; true if one of them is too long.
    fn pass_lines(&mut self, window: &[u8], end: usize) -> bool {
        let from = self.settled;
        for newline in memchr_iter(b'\n', &window[from..end]) {
            if from + newline >= self.record_limit() {
                break;
            }
            self.start = from + newline + 1;
            self.settled = self.start;
        }
        let too_long = end > self.record_limit();
        if too_long {
            self.reject(FramingErrorKind::TooLong, None, self.record_limit());
        }
        too_long
    }

    /// Finds the start of the record that `end` is in, where the current stretch outside quotes ends. Returns whether it
    /// is another one than was known.
    fn settle(&mut self, window: &[u8], end: usize) -> bool {
        if self.settle_cheaply(window, end) {
            return true;
        }
        let before = self.settled..self.outside.max(self.settled);
        let found = self.last_end(window, before);
        self.start = found.unwrap_or(self.start);
        self.settled = end;
        found.is_some()
    }

    /// The same if the record begins in that stretch; else does nothing.
    fn settle_cheaply(&mut self, window: &[u8], end: usize) -> bool {
        let from = self.settled.max(self.outside);
        let newline = memrchr(b'\n', &window[from..end]);
        if let Some(newline) = newline {
            self.start = from + newline + 1;
            self.settled = end;
        }
        newline.is_some()
    }

    /// Where the last record ends in a part of the window that begins and ends outside quotes, and has no error.
    fn last_end(&self, window: &[u8], Range { start, end }: Range<usize>) -> Option<usize> {
        let mut last = None;
        let mut at = start;
        while let Some(stop) = memchr2(b'"', b'\n', &window[at..end]) {
            let stop = at + stop;
            at = stop + 1;
            if window[stop] == b'\n' {
                last = Some(at);
            } else if self.opens(window, stop) {
                // Doubled quotes close and open again.
                at += memchr(b'"', &window[at..end])? + 1;
                while window[at..end].first() == Some(&b'"') {
                    at += 1;
                    at += memchr(b'"', &window[at..end])? + 1;
                }
            }
        }
        last
    }

    /// Whether the quote there, outside quotes, is the first byte of a field.
    fn opens(&self, window: &[u8], quote: usize) -> bool {
        let before = quote.checked_sub(1).map(|index| window[index]);
        matches!(before, None | Some(b'\n')) || before == self.delimiter
    }

    fn inside(&mut self, window: &[u8], ended: bool, quote: usize) -> Option<Boundary> {
        let end = window.len().min(self.record_limit());
        match memchr(b'"', &window[self.at.min(end)..end]) {
            Some(close) => {
                self.at += close + 1;
                self.state = State::Closing { quote };
            }
            None if window.len() > end => {
                if !self.settle(window, quote) {
                    self.reject(FramingErrorKind::TooLong, Some(quote), quote);
                }
            }
            None if ended => {
                self.settle(window, quote);
                self.reject(FramingErrorKind::UnclosedQuote, Some(quote), quote);
            }
            None => {
                self.settle(window, quote);
                self.at = end;
                return Some(Boundary::NeedMore);
            }
        }
        None
    }

    fn closing(&mut self, window: &[u8], ended: bool, quote: usize) -> Option<Boundary> {
        let limit = self.record_limit();
        let after = &window[self.at..];
        let needed = if after.first() == Some(&b'\r') { 2 } else { 1 };
        if after.len() < needed && !ended {
            return Some(Boundary::NeedMore);
        }
        match after {
            [] => self.leave(),
            _ if self.at + needed.min(after.len()) > limit => {
                if !self.settle(window, quote) {
                    self.reject(FramingErrorKind::TooLong, Some(quote), quote);
                }
            }
            [b'"', ..] => {
                self.at += 1;
                self.state = State::Inside { quote };
            }
            [b'\n', ..] | [b'\r', b'\n', ..] => self.leave(),
            [byte, ..] if Some(*byte) == self.delimiter => self.leave(),
            _ => {
                self.settle(window, quote);
                self.reject(FramingErrorKind::TextAfterQuote, Some(quote), quote);
            }
        }
        None
    }

    /// Goes on outside quotes.
    fn leave(&mut self) {
        self.state = State::Outside;
        self.outside = self.at;
    }

    /// Goes on as in a new record.
    fn begin(&mut self, start: usize) {
        self.start = start;
        self.settled = start;
        self.at = start;
        self.leave();
    }

    fn reject(&mut self, kind: FramingErrorKind, quote: Option<usize>, from: usize) {
        self.at = from;
        self.state = State::Rejected { kind, quote };
    }

    fn rejected(
        &mut self,
        window: &[u8],
        ended: bool,
        min: usize,
        kind: FramingErrorKind,
        quote: Option<usize>,
    ) -> Option<Boundary> {
        let limit = self.record_limit();
        let known = window.len().min(limit);
        let end = match memchr(b'\n', &window[self.at.min(known)..known]) {
            Some(newline) => self.at + newline + 1,
            None if window.len() > limit => return Some(Boundary::Oversized(self.start)),
            None if ended => window.len(),
            None => {
                self.at = self.at.max(known);
                return Some(Boundary::NeedMore);
            }
        };
        let error = self.error(window, kind, quote, end);
        self.errors.push(error);
        self.begin(end);
        (end >= min).then_some(Boundary::End(end))
    }

    fn error(
        &self,
        window: &[u8],
        kind: FramingErrorKind,
        quote: Option<usize>,
        end: usize,
    ) -> FramingError {
        let record = &window[self.start..end];
        let newlines = |bytes: &[u8]| memchr_iter(b'\n', bytes).count() as u64;
        let before = quote.map(|quote| &record[..quote - self.start]);
        let quote_line = before.map_or(0, newlines);
        FramingError {
            offset: self.base + self.start as u64,
            len: record.len() as u64,
            lines: match before {
                // It ends with the line of the quote.
                Some(_) => quote_line + 1,
                None => newlines(record) + u64::from(!record.ends_with(b"\n")),
            },
            quote_line,
            column: before.map(|before| self.fields(before)),
            kind,
            excerpt: Vec::new(),
        }
    }

    /// How many fields the start of a record touches that ends where a field begins.
    fn fields(&self, mut record: &[u8]) -> u64 {
        let delimiter = self.delimiter.unwrap_or(b',');
        let mut fields = 1;
        loop {
            let mut inside = record.first() == Some(&b'"');
            let end = record
                .iter()
                .enumerate()
                .skip(usize::from(inside))
                .find(|&(_, &byte)| {
                    inside ^= byte == b'"' && record.first() == Some(&b'"');
                    byte == delimiter && !inside
                });
            match end {
                Some((end, _)) => record = &record[end + 1..],
                None => return fields,
            }
            fields += 1;
        }
    }

    /// Where the record that begins at `start` has to end.
    fn record_limit(&self) -> usize {
        self.start.saturating_add(self.limit)
    }
}
