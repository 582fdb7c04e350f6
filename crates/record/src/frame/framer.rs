//! Finds where records end, for the supervisor that cuts a source and for the workers that read it.
//!
//! A record begins where the one before it ends, or where reading resumes after a reject. Let `limit` be the layout's
//! [`max_record`](crate::Layout::max_record). From the record's first byte, at most `limit` bytes are examined:
//!
//! - Without quoting, the record is a line. With quoting, a newline inside quotes belongs to its field.
//! - If a closing quote is followed by anything but a delimiter or a line end, if the source ends inside quotes, or if
//!   the record does not end within `limit` bytes, the record is a *framing error*: a reject that extends to the end of
//!   the line in which the last quote was opened (without an open quote: of the line that contains the limit). Reading
//!   resumes on the next line.
//!
//! The end of a record therefore depends only on the bytes that follow its start. Each byte is examined a bounded number
//! of times: between the line of a quote that does not close and the byte that proves it, all quotes are doubled, and
//! no line in between can open a quote that extends past its own line.

use std::ops::Range;

use super::framing_error::{EXCERPT_LEN, FramingError, FramingErrorKind};
use memchr::{memchr, memchr_iter, memchr2, memrchr};

/// How far a framer advances, in bytes, before it determines the record's start again. This avoids a search at each
/// quote, and bounds how much is examined twice when the start must be known.
const MAX_BEHIND: usize = 16 << 10;

/// What ends a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// A newline.
    Lines,
    /// A newline outside quotes. A quote opens at the start of a field, and `delimiter` separates fields.
    Quoted {
        /// The delimiter.
        delimiter: u8,
    },
}

/// What a [`Framer`] has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// A shard may end here, at this offset in the window.
    End(usize),
    /// The window is too short to tell.
    NeedMore,
    /// The record that begins at this offset in the window is a reject that is longer than the limit. The caller finds
    /// the end of its last line: see [`Framer::oversized`].
    Oversized(usize),
}

/// Finds record ends in a stream of bytes that begins at a record.
///
/// The caller passes a window of the stream that grows at its end ([`next`](Framer::next)) and shrinks at its beginning
/// ([`discard`](Framer::discard)). Bytes that were examined are not examined again by the next call.
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
    /// The start of the record that contains `settled`: the record that contains `at`, or an earlier one.
    start: usize,
    /// An offset outside quotes, up to which no record ends after `start`. Moved only when the start must be known.
    settled: usize,
    /// Where the stretch outside quotes begins that contains `at`.
    outside: usize,
    /// The first byte that was not examined.
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
    /// Just past a quote that closes the one opened there, unless another one follows at once: that makes a doubled quote.
    Closing { quote: usize },
    /// In a reject, which ends with the line that contains `at`.
    Rejected {
        kind: FramingErrorKind,
        quote: Option<usize>,
    },
}

impl Framer {
    /// Returns a framer at the start of a record, `offset` bytes into the source.
    pub(crate) fn with(framing: Framing, limit: usize, offset: u64) -> Framer {
        Framer {
            delimiter: match framing {
                Framing::Lines => None,
                Framing::Quoted { delimiter } => Some(delimiter),
            },
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

    /// Finds the first record end at or after `min` (and after 0). `ended` states that the source ends with the window.
    /// The window must extend the window of the previous call, less what was [discarded](Framer::discard).
    ///
    /// The end of the source is a record end too. [`take_errors`](Framer::take_errors) returns the rejects before it.
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

    /// Returns how many bytes at the beginning of the window are no longer needed; at a record's end, all before it.
    #[must_use]
    pub fn consumed(&self) -> usize {
        self.start
    }

    /// Records that `len` bytes, at most [`consumed`](Framer::consumed), were removed from the beginning of the window.
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

    /// Returns the rejects that were found since the last call, in order.
    pub fn take_errors(&mut self) -> Vec<FramingError> {
        std::mem::take(&mut self.errors)
    }

    /// Returns the reject that [`Boundary::Oversized`] reported, with its known length and the window's part of it. The
    /// caller adds to its length the bytes up to and including the next newline, and continues behind that with a
    /// [new framer](Framer::new).
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

    /// Returns the next quote, or newline at or after `from`.
    fn next_stop(&self, window: &[u8], from: usize) -> Option<usize> {
        if self.delimiter.is_none() {
            return memchr(b'\n', &window[from..]).map(|newline| from + newline);
        }
        if let Some(quote) = memchr(b'"', &window[self.at..from]) {
            return Some(self.at + quote);
        }
        memchr2(b'"', b'\n', &window[from..]).map(|stop| from + stop)
    }

    /// Checks the lines from `settled` to `end`, all outside quotes, one by one. Returns whether one of them is too long.
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

    /// Finds the start of the record that contains `end`, where the current stretch outside quotes ends. Returns whether
    /// the start moved.
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

    /// Does the same if the record begins in that stretch; else does nothing.
    fn settle_cheaply(&mut self, window: &[u8], end: usize) -> bool {
        let from = self.settled.max(self.outside);
        let newline = memrchr(b'\n', &window[from..end]);
        if let Some(newline) = newline {
            self.start = from + newline + 1;
            self.settled = end;
        }
        newline.is_some()
    }

    /// Returns where the last record ends in a part of the window that begins and ends outside quotes, and has no error.
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

    /// Returns whether a quote, outside quotes, is the first byte of a field.
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

    /// Continues outside quotes.
    fn leave(&mut self) {
        self.state = State::Outside;
        self.outside = self.at;
    }

    /// Continues with a new record.
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

    /// Returns how many fields the start of a record touches, which ends where a field begins.
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

    /// Returns where the record that begins at `start` must end.
    fn record_limit(&self) -> usize {
        self.start.saturating_add(self.limit)
    }
}
