//! Recognizes what this program wrote by its first line: scored posts, rejects, a quarantine.

use crate::formats::Format;
use crate::reject;

/// What a file holds that this program wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnOutput {
    /// Scored posts.
    Scored,
    /// Records that were set aside, as [`write_reject`](crate::write_reject) writes them.
    SetAside,
}

impl OwnOutput {
    /// Returns what the file with this first line holds, if this program wrote it.
    ///
    /// ```
    /// use moodring_record::{Format, OwnOutput};
    ///
    /// let line = br#"{"text":"fine","vader":{"compound":0.2023},"sentiment":"positive"}"#;
    /// assert_eq!(OwnOutput::recognize(Format::Jsonl, line), Some(OwnOutput::Scored));
    /// let labelled = br#"{"text":"fine","sentiment":"positive"}"#;
    /// assert_eq!(OwnOutput::recognize(Format::Jsonl, labelled), None);
    /// ```
    #[must_use]
    pub fn recognize(format: Format, first_line: &[u8]) -> Option<OwnOutput> {
        let line = first_line.trim_ascii();
        if format == reject::FORMAT && reject::is_reject(line) {
            return Some(OwnOutput::SetAside);
        }
        format.is_scored(line).then_some(OwnOutput::Scored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        FieldNames, Layout, ModelColumns, OutputStyle, Quoting, Reader, Renderer, ScoreColumn,
        added_names,
    };

    /// The first line of what is written for the first record of `source`.
    fn scored(
        source: &[u8],
        from: Format,
        to: impl Into<OutputStyle>,
        model: &str,
        scores: [&str; 2],
    ) -> Vec<u8> {
        let to = to.into();
        let models = [ModelColumns {
            model: model.into(),
            prefix: "my_".into(),
            scores: scores
                .map(|name| ScoreColumn {
                    name: name.into(),
                    decimals: Some(3),
                })
                .into(),
        }];
        let names = FieldNames {
            text: "text".into(),
            ..FieldNames::default()
        };
        let added = added_names(to.format, &models);
        let layout = Layout::detect(from, Quoting::Auto, &names, &added, source, true).unwrap();
        let renderer = Renderer::new(to, &layout, &models);
        let mut out = renderer.header().unwrap_or_default();
        let body = usize::try_from(layout.body_start()).unwrap();
        let mut reader = Reader::new(&layout, &source[body..]);
        let post = reader.next_record().unwrap().unwrap();
        renderer.write(&mut out, &post, &[0.5, -1.0], "negative");
        let line = out.split(|&byte| byte == b'\n').next().unwrap();
        line.to_vec()
    }

    #[test]
    fn what_is_rendered_is_recognized() {
        for (model, scores) in [
            ("vader", ["pos", "compound"]),
            ("lexicon", ["pos", "compound"]),
            ("textblob", ["polarity", "subjectivity"]),
        ] {
            let json = b"{\"id\":1,\"text\":\"a day\"}\n";
            let csv = b"id,text\r\n1,a day\r\n";
            for to in [Format::Jsonl, Format::Csv, Format::Tsv] {
                let from_json = scored(json, Format::Jsonl, to, model, scores);
                assert_eq!(
                    OwnOutput::recognize(to, &from_json),
                    Some(OwnOutput::Scored),
                    "{to}"
                );
                let from_csv = scored(csv, Format::Csv, to, model, scores);
                assert_eq!(
                    OwnOutput::recognize(to, &from_csv),
                    Some(OwnOutput::Scored),
                    "{to}"
                );
            }
            for delimiter in [";", "|", "tab", " ", "."] {
                let style = OutputStyle {
                    delimiter: delimiter.parse().unwrap(),
                    ..Format::Csv.into()
                };
                let line = scored(csv, Format::Csv, style, model, scores);
                assert_eq!(
                    OwnOutput::recognize(Format::Csv, &line),
                    Some(OwnOutput::Scored),
                    "{delimiter}"
                );
            }
        }
    }

    #[test]
    fn rejects_are_recognized() {
        let mut line = Vec::new();
        let raw = crate::RejectedBytes {
            bytes: b"raw",
            len: None,
        };
        crate::write_reject(&mut line, "a.jsonl", Some(1), 0, "no JSON", raw);
        assert_eq!(
            OwnOutput::recognize(Format::Jsonl, &line),
            Some(OwnOutput::SetAside)
        );
    }

    #[test]
    fn labels_are_not_taken_for_scores() {
        for line in [
            "",
            "{}",
            r#"{"text":"so \"sentiment\":\"positive\"}"}"#,
            r#"{"text":"fine","sentiment":"positive"}"#,
            r#"{"sentiment":"positive"}"#,
            r#"{"user":{"id":1},"sentiment":4}"#,
            r#"{"source":"web","text":"fine"}"#,
        ] {
            assert_eq!(
                OwnOutput::recognize(Format::Jsonl, line.as_bytes()),
                None,
                "{line}"
            );
        }
        for header in [
            "",
            "text,sentiment",
            "sentiment",
            "id,text,airline_sentiment",
            "id;text;airline_sentiment",
            "text;vader_compound;id;sentiment",
            "my_compound_sentiment",
        ] {
            assert_eq!(
                OwnOutput::recognize(Format::Csv, header.as_bytes()),
                None,
                "{header}"
            );
        }
    }
}
