//! Where records end, compared with a slow reading of the rules that looks at one byte after another.

use moodring_record::{
    Boundary, Format, Framer, Layout, OutputStyle, ReadOptions, Reader, Renderer,
};
use proptest::prelude::*;

use crate::shards::cut_stream;
use crate::{body, models, names, walk};

/// A record or a reject: where it begins, where reading resumes, and what is wrong with it.
type Framed = (usize, usize, Option<&'static str>);

/// What the bytes from `start` on are, by the rules in `frame.rs`.
fn frame(source: &[u8], start: usize, limit: usize) -> Framed {
    let line_end = |from: usize| {
        let end = source[from..].iter().position(|&byte| byte == b'\n');
        end.map_or(source.len(), |end| from + end + 1)
    };
    let at_limit = start.saturating_add(limit);
    let mut at = start;
    let mut field = start;
    while at < source.len() {
        if at >= at_limit {
            return (start, line_end(at), Some("does not end within"));
        }
        if source[at] == b'"' && at == field {
            let open = at;
            at += 1;
            loop {
                if at >= source.len() {
                    return (start, line_end(open), Some("never closed"));
                }
                if at >= at_limit {
                    return (start, line_end(open), Some("does not end within"));
                }
                match (source[at], source.get(at + 1)) {
                    (b'"', Some(b'"')) if at + 1 >= at_limit => {
                        return (start, line_end(open), Some("does not end within"));
                    }
                    (b'"', Some(b'"')) => at += 2,
                    (b'"', _) => break,
                    _ => at += 1,
                }
            }
            at += 1;
            let after = &source[at..];
            let needed = match after {
                [] => 0,
                [b'\r', _, ..] => 2,
                _ => 1,
            };
            if at + needed > at_limit {
                return (start, line_end(open), Some("does not end within"));
            }
            if !matches!(after, [] | [b',' | b'\n', ..] | [b'\r', b'\n', ..]) {
                return (start, line_end(open), Some("after its closing quote"));
            }
            continue;
        }
        at += 1;
        match source[at - 1] {
            b'\n' => return (start, at, None),
            b',' => field = at,
            _ => {}
        }
    }
    (start, at, None)
}

fn frames(source: &[u8], limit: usize) -> Vec<Framed> {
    let mut all = Vec::new();
    let mut at = 0;
    while at < source.len() {
        if let [b'\n', ..] | [b'\r', b'\n', ..] = source[at..] {
            at += if source[at] == b'\n' { 1 } else { 2 };
            continue;
        }
        let framed = frame(source, at, limit);
        at = framed.1;
        all.push(framed);
    }
    all
}

fn layout(limit: usize, source: &[u8]) -> Layout {
    let reading = ReadOptions {
        max_record: limit,
        ..ReadOptions::default()
    };
    Layout::detect(
        Format::Csv,
        reading,
        &names("text", None),
        &[],
        source,
        true,
    )
    .unwrap()
}

/// What the reader makes of it: where each record begins, and its error.
fn read(source: &str, limit: usize) -> Vec<(usize, Option<String>)> {
    let source = format!("text\n{source}");
    let layout = layout(limit, source.as_bytes());
    let renderer = Renderer::new(OutputStyle::from(Format::Csv), &layout, &models());
    let walk = walk(&layout, &renderer, body(&layout, source.as_bytes()), 0, 0);
    let told = walk.told.into_iter().map(|told| {
        let reason = told
            .record
            .err()
            .filter(|reason| !reason.contains("columns"));
        (usize::try_from(told.offset).unwrap(), reason)
    });
    told.collect()
}

fn reasons(source: &str, limit: usize) -> Vec<(usize, String)> {
    let read = read(source, limit);
    read.into_iter()
        .filter_map(|(at, reason)| Some((at, reason?)))
        .collect()
}

#[test]
fn an_unclosed_quote_costs_one_row() {
    let rows = "a\n\"b\nc\n\"d\"\ne\n";
    let column = "column 1 has text after its closing quote";
    assert_eq!(reasons(rows, 1 << 20), [(2, column.to_owned())]);
    assert_eq!(read(rows, 1 << 20).len(), 5);

    let rows = "a\n\"b\nc\nd\ne\n";
    let column = "column 1 opens a quote that is never closed";
    assert_eq!(reasons(rows, 1 << 20), [(2, column.to_owned())]);
    assert_eq!(read(rows, 1 << 20).len(), 5);
}

#[test]
fn a_quote_that_does_not_close_within_the_limit_costs_one_row() {
    let rows = format!("a\n\"b\n{}", "more\n".repeat(20));
    let reason =
        "column 1 opens a quote, and the record does not end within 50 bytes (see --max-record)";
    assert_eq!(reasons(&rows, 50), [(2, reason.to_owned())]);
    assert_eq!(read(&rows, 50).len(), 22);
}

#[test]
fn a_line_longer_than_the_limit_is_a_reject() {
    let rows = format!("a\n{}\nb\n", "x".repeat(60));
    let reason = "the record does not end within 60 bytes (see --max-record)";
    assert_eq!(reasons(&rows, 60), [(2, reason.to_owned())]);
    assert_eq!(reasons(&rows, 61), []);
}

/// The lines of a source that are to be read; together as costly as a quadratic reading of it can be made.
const OPENING: [&str; 6] = [
    "\"abc\n",
    "x\"\"y\n",
    "\"\"\"x\n",
    "\"x\",x,\"y\n",
    "a\",a,\"b\n",
    "\"a\",\"b\",\n",
];

/// Whether reading four times as much of these lines takes about four times as long.
fn is_linear(line: &str, read: impl Fn(&[u8])) -> bool {
    let time = |len: usize| {
        let rows = ["\"open\n", &line.repeat(len / line.len())].concat();
        let timed = |_| {
            let start = std::time::Instant::now();
            read(rows.as_bytes());
            start.elapsed().as_secs_f64()
        };
        (0..5).map(timed).fold(f64::MAX, f64::min)
    };
    // In quadratic time it is 16 times as long. A busy machine may disturb a measurement, but hardly all.
    (0..4).any(|_| time(1 << 17) < 9.0 * time(1 << 15))
}

#[test]
fn lines_that_each_open_a_quote_are_not_read_again_and_again() {
    for line in OPENING {
        for limit in [1 << 12, 1 << 24] {
            let layout = layout(limit, b"text\n");
            let read = |source: &[u8]| {
                let mut reader = Reader::new(&layout, source);
                while reader.next_record().is_some() {}
            };
            assert!(is_linear(line, read), "read {line:?} up to {limit}");
            let cut = |source: &[u8]| {
                let step = Framer::new(&layout, 0).next(source, true, usize::MAX);
                assert!(!matches!(step, Boundary::NeedMore), "{step:?}");
            };
            assert!(is_linear(line, cut), "cut {line:?} up to {limit}");
        }
    }
}

/// Pieces of rows, most of which quotes make odd.
fn pieces(most: usize) -> impl Strategy<Value = Vec<&'static str>> {
    let piece = prop::sample::select(
        &[
            "a", "\"", "\"\"", ",", "\n", "\r\n", "\r", ",\"", "\"\n", "\n\"",
        ][..],
    );
    prop::collection::vec(piece, 0..most)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]
    #[test]
    fn records_end_where_the_rules_say(
        pieces in pieces(40),
        limit in prop_oneof![2_usize..40, Just(1 << 24)],
    ) {
        let source = pieces.concat();
        let expected = frames(source.as_bytes(), limit);
        let found = read(&source, limit);
        let starts = |at: &[Framed]| at.iter().map(|framed| framed.0).collect::<Vec<_>>();
        prop_assert_eq!(starts(&expected), found.iter().map(|found| found.0).collect::<Vec<_>>());
        for (expected, found) in expected.iter().zip(&found) {
            match (expected.2, &found.1) {
                (None, None) => {}
                (Some(part), Some(reason)) => prop_assert!(reason.contains(part), "{} {}", part, reason),
                other => prop_assert!(false, "{:?} at {}", other, expected.0),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn records_end_where_the_rules_say_in_a_long_source_too(
        parts in prop::collection::vec((pieces(12), 1_usize..4000), 1..5),
        limit in prop_oneof![100_usize..20_000, Just(1 << 24)],
        chunks in prop::collection::vec(1_usize..20_000, 1..4),
        mins in prop::collection::vec(0_usize..50_000, 1..4),
    ) {
        let source: String = parts.iter().map(|(pieces, times)| pieces.concat().repeat(*times)).collect();
        let layout = layout(limit, b"text\n");
        let expected: Vec<_> = frames(source.as_bytes(), limit)
            .into_iter()
            .filter(|(.., error)| error.is_some())
            .map(|(start, end, _)| (start as u64, (end - start) as u64))
            .collect();
        let cuts = cut_stream(&layout, source.as_bytes(), &chunks, &mins);
        let framing_errors = cuts.iter().flat_map(|cut| &cut.framing_errors);
        let found: Vec<_> = framing_errors.map(|error| (error.offset, error.len)).collect();
        prop_assert_eq!(found, expected);
    }
}
