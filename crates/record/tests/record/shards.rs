//! A source read in shards is the source read whole: the same records, rejects, line numbers and bytes, wherever the
//! cuts fall.

use moodring_record::{
    Cutter, Cutting, FieldNames, Format, Layout, Quoting, Renderer, added_names,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::{Walk, body, models, names, walk};

/// Cuts a stream that comes in chunks of these lengths into shards of at least these lengths.
pub(crate) fn cut_stream(
    layout: &Layout,
    body: &[u8],
    chunks: &[usize],
    mins: &[usize],
) -> Vec<usize> {
    let mut cutter = Cutter::new(layout);
    let mut chunks = chunks.iter().copied().cycle();
    let mut mins = mins.iter().copied().cycle();
    let mut min = mins.next().unwrap_or(1);
    let (mut start, mut at) = (0, 0);
    let mut ends = Vec::new();
    while at < body.len() {
        let mut chunk = &body[at..body.len().min(at + chunks.next().unwrap_or(1))];
        while let Some(end) = cutter.next_end(chunk, min.saturating_sub(at - start)) {
            at += end;
            chunk = &chunk[end..];
            start = at;
            ends.push(at);
            min = mins.next().unwrap_or(1);
        }
        at += chunk.len();
    }
    ends
}

/// Cuts into ranges of `size` bytes, each of which owns the lines that start in it.
pub(crate) fn cut_ranges(body: &[u8], size: usize) -> Vec<usize> {
    let starts_line = |at: &usize| *at == 0 || body[at - 1] == b'\n';
    let first_line_from = |at| (at..body.len()).find(starts_line).unwrap_or(body.len());
    (size..body.len())
        .step_by(size)
        .map(first_line_from)
        .collect()
}

/// Reads the shards between these ends one by one.
pub(crate) fn walk_shards(
    layout: &Layout,
    renderer: &Renderer,
    body: &[u8],
    ends: &[usize],
) -> Walk {
    let mut all = Walk::default();
    let mut start = 0;
    for &end in ends.iter().chain([&body.len()]) {
        let shard = walk(layout, renderer, &body[start..end], start as u64, all.lines);
        all.told.extend(shard.told);
        all.lines += shard.lines;
        all.blanks += shard.blanks;
        start = end;
    }
    all
}

#[derive(Debug)]
struct Case {
    format: Format,
    quoting: Quoting,
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
        any::<bool>(),
        prop::option::of(any::<Index>()),
    )
        .prop_map(|((format, mut source), quoting, mark, bad)| {
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
                quoting,
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
        let Case { format, quoting, source } = &case;
        let layout = Layout::detect(*format, *quoting, &names, &added_names(output, &models()), source, true).unwrap();
        let renderer = Renderer::new(output, &layout, &models());
        let body = body(&layout, source);
        let whole = walk(&layout, &renderer, body, 0, 0);

        let ends = cut_stream(&layout, body, &chunks, &mins);
        prop_assert_eq!(&walk_shards(&layout, &renderer, body, &ends), &whole);
        if layout.cutting() == Cutting::AtLines {
            let ends = cut_ranges(body, size);
            prop_assert_eq!(&walk_shards(&layout, &renderer, body, &ends), &whole);
        }
    }

    #[test]
    fn a_cutter_finds_every_end_it_is_asked_for(case in case(), min in 0_usize..60) {
        let Case { format, quoting, source } = &case;
        let layout =
            Layout::detect(*format, *quoting, &names("text", None), &[], source, true).unwrap();
        let body = body(&layout, source);
        let all = cut_stream(&layout, body, &[usize::MAX >> 1], &[1]);
        let first = Cutter::new(&layout).next_end(body, min);
        prop_assert_eq!(first, all.into_iter().find(|&end| end >= min));
    }
}
