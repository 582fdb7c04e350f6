//! A source read in shards is the source read whole: the same records, rejects, line numbers and bytes, wherever the
//! cuts fall.

use moodring_record::{
    Boundary, FieldNames, Format, Framer, FramingError, Layout, Quoting, ReadOptions, Reader,
    Renderer, SplitMode, added_names,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::{Walk, body, models, names, walk, walk_reader};

/// A shard: where it ends, what was found in cutting it, and how much is left out behind it.
#[derive(Debug)]
pub(crate) struct Cut {
    end: usize,
    pub(crate) framing_errors: Vec<FramingError>,
    skipped: usize,
}

/// Cuts a stream that comes in chunks of these lengths into shards of at least these lengths.
pub(crate) fn cut_stream(
    layout: &Layout,
    body: &[u8],
    chunks: &[usize],
    mins: &[usize],
) -> Vec<Cut> {
    let mut framer = Framer::new(layout, 0);
    let mut chunks = chunks.iter().copied().cycle();
    let mut mins = mins.iter().copied().cycle();
    let mut min = mins.next().unwrap_or(1);
    // The window and the shard that begins in it, or before it.
    let (mut start, mut known, mut shard) = (0, 0, 0);
    let mut cuts = Vec::new();
    while shard < body.len() {
        let ended = known == body.len();
        let done = start - shard;
        let step = framer.next(&body[start..known], ended, min.saturating_sub(done));
        let (end, next) = match step {
            Boundary::NeedMore => {
                assert!(!ended);
                known = body.len().min(known + chunks.next().unwrap_or(1));
                start += framer.consumed();
                framer.discard(framer.consumed());
                continue;
            }
            Boundary::End(len) => {
                framer.discard(len);
                (start + len, start + len)
            }
            Boundary::Oversized(len) => {
                let end = start + len;
                let error = framer.oversized(&body[start..known]);
                let from = end + usize::try_from(error.len).unwrap();
                let next =
                    memchr::memchr(b'\n', &body[from..]).map_or(body.len(), |at| from + at + 1);
                known = known.max(next);
                let len = (next - end) as u64;
                let mut framing_errors = framer.take_errors();
                framing_errors.push(FramingError { len, ..error });
                cuts.push(Cut {
                    end,
                    framing_errors,
                    skipped: next - end,
                });
                framer = Framer::new(layout, next as u64);
                (next, next)
            }
        };
        let framing_errors = framer.take_errors();
        if !matches!(step, Boundary::Oversized(_)) {
            cuts.push(Cut {
                end,
                framing_errors,
                skipped: 0,
            });
        }
        (start, shard) = (next, next);
        min = mins.next().unwrap_or(1);
    }
    cuts
}

/// Cuts into ranges of `size` bytes, each of which owns the lines that start in it.
pub(crate) fn cut_ranges(body: &[u8], size: usize) -> Vec<Cut> {
    let starts_line = |at: &usize| *at == 0 || body[at - 1] == b'\n';
    let first_line_from = |at| (at..body.len()).find(starts_line).unwrap_or(body.len());
    let cut = |at| Cut {
        end: first_line_from(at),
        framing_errors: Vec::new(),
        skipped: 0,
    };
    let ends = (size..body.len()).step_by(size).chain([body.len()]);
    ends.map(cut).collect()
}

/// Reads these shards one by one.
pub(crate) fn walk_shards(layout: &Layout, renderer: &Renderer, body: &[u8], cuts: &[Cut]) -> Walk {
    let mut all = Walk::default();
    let mut start = 0;
    for Cut {
        end,
        framing_errors,
        skipped,
    } in cuts
    {
        let reader = Reader::of_shard(layout, &body[start..*end], start as u64, framing_errors);
        let shard = walk_reader(reader, renderer, start as u64, all.lines);
        all.told.extend(shard.told);
        all.lines += shard.lines;
        all.blanks += shard.blanks;
        start = end + skipped;
    }
    all
}

#[derive(Debug)]
struct Case {
    format: Format,
    reading: ReadOptions,
    source: Vec<u8>,
}

/// Lines of JSON, good and bad; the rows below need no such care.
fn json_piece() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => r#" ?\{"id":[0-9]{1,3},"text":"(a|é|\\"|\\n|\\u00e9|[{},\[\]]){0,9}"( ,"sentiment":\[1, 2\])? \}"#
            .prop_map(String::into_bytes),
        1 => r#"[{}a":,\[\]]{0,6}"#.prop_map(String::into_bytes),
        1 => Just(b"{\"text\":\"\xFF\"}".to_vec()),
        1 => Just(b" ".to_vec()),
        3 => Just(b"\r".to_vec()),
        9 => Just(b"\n".to_vec()),
    ]
}

fn case() -> impl Strategy<Value = Case> {
    let jsonl = prop::collection::vec(json_piece(), 0..24)
        .prop_map(|pieces| (Format::Jsonl, pieces.concat()));
    let text = "(a|é| |\"|\r|\n|\r\n){0,40}".prop_map(|text| (Format::Text, text.into_bytes()));
    let rows = |format, delimiter: char| {
        let field = format!("a|é|x\"\"y|\"(a|{delimiter}|\n|\"\"){{0,4}}\"|\"|\"a\"b|");
        let row = format!(
            "(({field})({delimiter}({field}))?(\n|\r\n|\n\n|{delimiter}\n)){{0,8}}({field})"
        );
        prop::string::string_regex(&row)
            .unwrap()
            .prop_map(move |rows: String| {
                let header = format!("id{delimiter}text\n");
                (format, [header.into_bytes(), rows.into_bytes()].concat())
            })
            .boxed()
    };
    let quoting = prop_oneof![
        Just(Quoting::Auto),
        Just(Quoting::Rfc4180),
        Just(Quoting::None)
    ];
    let files = prop_oneof![jsonl, text, rows(Format::Csv, ','), rows(Format::Tsv, '\t')];
    (
        files,
        quoting,
        prop_oneof![Just(usize::MAX), 1_usize..30],
        any::<bool>(),
        prop::option::of(any::<Index>()),
    )
        .prop_map(|((format, mut source), quoting, max_record, mark, bad)| {
            let header = if matches!(format, Format::Csv | Format::Tsv) {
                8
            } else {
                0
            };
            if let Some(index) = bad.filter(|_| source.len() > header) {
                let at = header + index.index(source.len() - header);
                source[at] = 0xFF;
            }
            let mark: &[u8] = if mark { b"\xEF\xBB\xBF" } else { b"" };
            Case {
                format,
                reading: ReadOptions {
                    quoting,
                    max_record,
                    ..ReadOptions::default()
                },
                source: [mark, &source].concat(),
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn shards_read_one_by_one_are_the_source_read_whole(
        case in case(),
        output in prop_oneof![Just(Format::Jsonl), Just(Format::Csv), Just(Format::Tsv)],
        chunks in prop::collection::vec(1_usize..40, 1..6),
        mins in prop::collection::vec(0_usize..60, 1..6),
        size in 1_usize..80,
    ) {
        let names = FieldNames { time: Some("text".into()), ..names("text", Some("id")) };
        let Case { format, reading, source } = &case;
        let layout = Layout::detect(*format, *reading, &names, &added_names(output, &models()), source, true).unwrap();
        let renderer = Renderer::new(output, &layout, &models());
        let body = body(&layout, source);
        let whole = walk(&layout, &renderer, body, 0, 0);

        let cuts = cut_stream(&layout, body, &chunks, &mins);
        prop_assert_eq!(&walk_shards(&layout, &renderer, body, &cuts), &whole);
        if layout.split_mode() == SplitMode::Lines {
            let cuts = cut_ranges(body, size);
            prop_assert_eq!(&walk_shards(&layout, &renderer, body, &cuts), &whole);
        }
    }
}
