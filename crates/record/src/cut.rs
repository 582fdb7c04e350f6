//! Finding where a stream may be cut: just past a newline that ends a record.
//!
//! A newline inside quotes ends nothing, and whether it is inside quotes depends on all the bytes before it. The
//! supervisor runs this over every byte of its quoted sources, so it looks at nothing but quotes until it has passed
//! `min`, and from there at quotes and newlines only; memchr does both many bytes at a time.

use memchr::{memchr, memchr2};

use crate::Layout;
use crate::delimited::Dialect;

/// Finds record ends in a stream of bytes that begins at a record, and remembers open quotes between calls.
///
/// ```
/// # use moodring_record::{Cutter, FieldNames, Format, Layout, Quoting};
/// let source = b"text\n\"one\npost\"\nanother\n";
/// let names = FieldNames { text: "text".into(), ..FieldNames::default() };
/// let layout = Layout::detect(Format::Csv, Quoting::Auto, &names, &[], source, true)?;
///
/// let body = &source[5..];
/// assert_eq!(Cutter::new(&layout).next_end(body, 1), Some(11));
/// assert_eq!(Cutter::new(&layout).next_end(body, 12), Some(19));
/// # Ok::<(), moodring_record::LayoutError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cutter {
    /// The delimiter, if quotes mean anything here.
    delimiter: Option<u8>,
    state: State,
    /// The byte before those to come.
    last: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Outside quotes: a newline ends the record, and a quote at the start of a field opens.
    Outside,
    /// Inside quotes.
    Inside,
    /// Just past a quote that closes, unless another one follows at once: that makes a doubled quote.
    Closing,
}

impl Cutter {
    /// A cutter that stands at the start of a record.
    #[must_use]
    pub fn new(layout: &Layout) -> Cutter {
        Cutter {
            delimiter: layout
                .dialect()
                .filter(|dialect| dialect.quotes)
                .map(|Dialect { delimiter, .. }| delimiter),
            state: State::Outside,
            last: b'\n',
        }
    }

    /// Looks at `bytes`, the continuation of what it saw before, for the first record end at or after `min` (and
    /// after 0): the offset just past the record's terminator.
    ///
    /// `Some(end)` has consumed exactly `end` bytes; `None` has consumed them all. A last record without a newline
    /// has no end here: it ends with the stream.
    pub fn next_end(&mut self, bytes: &[u8], min: usize) -> Option<usize> {
        let from = (min.max(1) - 1).min(bytes.len());
        let end = match self.delimiter {
            Some(delimiter) => self.next_quoted_end(bytes, from, delimiter),
            None => memchr(b'\n', &bytes[from..]).map(|newline| from + newline + 1),
        };
        let consumed = &bytes[..end.unwrap_or(bytes.len())];
        self.last = consumed.last().copied().unwrap_or(self.last);
        end
    }

    fn next_quoted_end(&mut self, bytes: &[u8], from: usize, delimiter: u8) -> Option<usize> {
        let mut at = 0;
        loop {
            match self.state {
                State::Inside => {
                    at += memchr(b'"', &bytes[at..])? + 1;
                    self.state = State::Closing;
                }
                State::Closing if *bytes.get(at)? == b'"' => {
                    at += 1;
                    self.state = State::Inside;
                }
                State::Closing => self.state = State::Outside,
                State::Outside => {
                    let stop = next_stop(bytes, at, from)?;
                    if bytes[stop] == b'\n' {
                        return Some(stop + 1);
                    }
                    let before = stop.checked_sub(1).map_or(self.last, |index| bytes[index]);
                    if before == b'\n' || before == delimiter {
                        self.state = State::Inside;
                    }
                    at = stop + 1;
                }
            }
        }
    }
}

/// The next quote at or after `at`, or newline at or after `from`.
fn next_stop(bytes: &[u8], at: usize, from: usize) -> Option<usize> {
    if at < from
        && let Some(quote) = memchr(b'"', &bytes[at..from])
    {
        return Some(at + quote);
    }
    let at = at.max(from);
    memchr2(b'"', b'\n', &bytes[at..]).map(|stop| at + stop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FieldNames, Format, Quoting};

    fn cutter(quoting: Quoting) -> Cutter {
        let names = FieldNames {
            text: "t".into(),
            id: None,
            time: None,
            label: None,
        };
        let layout = Layout::detect(Format::Csv, quoting, &names, &[], b"t\n", true).unwrap();
        Cutter::new(&layout)
    }

    fn ends(mut cutter: Cutter, mut bytes: &[u8]) -> Vec<usize> {
        let len = bytes.len();
        let mut ends = Vec::new();
        while let Some(end) = cutter.next_end(bytes, 1) {
            bytes = &bytes[end..];
            ends.push(len - bytes.len());
        }
        ends
    }

    #[test]
    fn a_newline_inside_quotes_ends_nothing() {
        assert_eq!(ends(cutter(Quoting::Auto), b"a,\"b\nc\"\nd\n"), [8, 10]);
    }

    #[test]
    fn a_quote_inside_a_field_opens_nothing() {
        assert_eq!(ends(cutter(Quoting::Auto), b"a\",5\"\n6\"\n"), [6, 9]);
    }

    #[test]
    fn a_doubled_quote_closes_nothing() {
        assert_eq!(
            ends(cutter(Quoting::Auto), b"\"a\"\"\n\"\"\"\nb\n"),
            [9, 11]
        );
    }

    #[test]
    fn a_closed_quote_is_not_opened_by_a_later_one() {
        assert_eq!(ends(cutter(Quoting::Auto), b"\"a\"b\"\nc\n"), [6, 8]);
    }

    #[test]
    fn without_quoting_every_newline_ends_a_record() {
        assert_eq!(ends(cutter(Quoting::None), b"a,\"b\nc\"\nd"), [5, 8]);
    }

    #[test]
    fn an_end_lies_at_or_after_min() {
        let bytes = b"ab\ncd\nef\n";
        for (min, end) in [(0, 3), (1, 3), (3, 3), (4, 6), (6, 6), (7, 9)] {
            assert_eq!(
                cutter(Quoting::Auto).next_end(bytes, min),
                Some(end),
                "{min}"
            );
            assert_eq!(
                cutter(Quoting::None).next_end(bytes, min),
                Some(end),
                "{min}"
            );
        }
        assert_eq!(cutter(Quoting::Auto).next_end(bytes, 10), None);
    }

    #[test]
    fn quotes_are_remembered_between_calls() {
        let bytes = b"x,\"a\"\"\nb\"\ny\n";
        for first in 0..9 {
            let mut cutter = cutter(Quoting::Auto);
            assert_eq!(cutter.next_end(&bytes[..first], 1), None);
            assert_eq!(
                cutter.next_end(&bytes[first..], 1),
                Some(10 - first),
                "{first}"
            );
        }
    }
}
