//! The crate from outside: sources in, posts, rejects and scored records out.

mod framing;
mod fuzz;
mod posts;
mod scored;
mod shards;

use moodring_record::{
    FieldNames, Format, HEAD_LEN, Layout, ModelColumns, OutputStyle, Quoting, ReadOptions, Reader,
    Renderer, ScoreColumn, added_names,
};

/// The scores that every post gets here.
const SCORES: [f64; 2] = [0.25, -0.5];

fn models() -> [ModelColumns; 1] {
    let column = |name: &str| ScoreColumn {
        name: name.into(),
        decimals: Some(3),
    };
    [ModelColumns {
        model: "vader".into(),
        prefix: String::new(),
        scores: vec![column("pos"), column("compound")],
    }]
}

fn names(text: &str, id: Option<&str>) -> FieldNames {
    FieldNames {
        text: text.into(),
        id: id.map(str::to_owned),
        ..FieldNames::default()
    }
}

fn layout_of(format: Format, names: &FieldNames, source: &[u8]) -> Layout {
    let head = &source[..source.len().min(HEAD_LEN)];
    Layout::detect(
        format,
        Quoting::Auto,
        names,
        &added_names(Format::Jsonl, &models()),
        head,
        head.len() == source.len(),
    )
    .unwrap()
}

fn body<'s>(layout: &Layout, source: &'s [u8]) -> &'s [u8] {
    &source[usize::try_from(layout.body_start()).unwrap()..]
}

/// What a reader had to say about one record.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    offset: u64,
    line: u64,
    raw: Vec<u8>,
    /// Of a reject whose bytes are not all there.
    len: Option<u64>,
    record: Result<Scored, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Scored {
    text: String,
    id: Option<String>,
    rendered: Vec<u8>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Walk {
    told: Vec<Told>,
    lines: u64,
    blanks: u64,
}

/// Reads a shard to its end; the places are given from `offset` and `line` on.
fn walk(layout: &Layout, renderer: &Renderer, shard: &[u8], offset: u64, line: u64) -> Walk {
    walk_reader(Reader::new(layout, shard), renderer, offset, line)
}

fn walk_reader(mut reader: Reader<'_>, renderer: &Renderer, offset: u64, line: u64) -> Walk {
    let mut told = Vec::new();
    while let Some(record) = reader.next_record() {
        let (location, raw, len, record) = match record {
            Ok(post) => {
                let mut out = Vec::new();
                renderer.write(&mut out, &post, &SCORES, "negative");
                let (text, id) = (post.text().to_owned(), post.id().map(str::to_owned));
                (
                    post.location(),
                    post.raw().to_vec(),
                    None,
                    Ok(Scored {
                        text,
                        id,
                        rendered: out,
                    }),
                )
            }
            Err(malformed) => (
                malformed.location,
                malformed.raw.to_vec(),
                malformed.len,
                Err(malformed.reason.to_string()),
            ),
        };
        told.push(Told {
            offset: offset + location.offset,
            line: line + location.line,
            raw,
            len,
            record,
        });
    }
    Walk {
        told,
        lines: reader.lines(),
        blanks: reader.blanks(),
    }
}

/// Reads a whole source.
fn walk_all(format: Format, names: &FieldNames, source: &str) -> Walk {
    let layout = layout_of(format, names, source.as_bytes());
    let renderer = Renderer::new(format, &layout, &models());
    let first = layout.first_line();
    walk(
        &layout,
        &renderer,
        body(&layout, source.as_bytes()),
        layout.body_start(),
        first,
    )
}

/// The whole source scored, header and all; every record must be good.
fn score(format: Format, output: Format, names: &FieldNames, source: &str) -> String {
    let layout = layout_of(format, names, source.as_bytes());
    let style = OutputStyle::new(output, ReadOptions::default(), [Some(format)]);
    let renderer = Renderer::new(style, &layout, &models());
    let mut out = renderer.header().unwrap_or_default();
    for told in walk(&layout, &renderer, body(&layout, source.as_bytes()), 0, 0).told {
        out.extend_from_slice(&told.record.unwrap().rendered);
    }
    String::from_utf8(out).unwrap()
}
