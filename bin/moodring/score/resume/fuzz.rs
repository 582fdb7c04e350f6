//! Mutated entries of a journal: whatever they say, only shards that follow each other count.

use moodring_fuzz::Fuzz;
use moodring_store::Entries;

use super::checkpoint::PriorRun;

const FINGERPRINT: &str = r#"{"terms":{"settings":[["version","0.1.0"]],"shard_size":1,"block_size":1,"header":{"at":0,"len":0,"checksum":0}}}"#;

/// An entry for a shard that was released as number `release` and is number `index` of the input.
fn done(release: u64, index: u64) -> String {
    let piece = r#"{"at":0,"len":9,"checksum":1}"#;
    let counts = serde_json::to_string(&super::entry::Counts::default()).unwrap();
    format!(
        r#"{{"done":{{"release":{release},"index":{index},"source":0,"end":{end},"output":{piece},"rejects":{piece},"quarantine":{piece},"counts":{counts}}}}}"#,
        end = 10 * (index + 1)
    )
}

#[test]
fn whatever_the_entries_say_a_run_resumes_behind_shards_without_a_gap() {
    let journals = [
        [
            FINGERPRINT,
            &done(0, 0),
            &done(2, 1),
            &done(1, 2),
            r#"{"complete":3}"#,
        ]
        .join("\n"),
        [
            FINGERPRINT,
            &done(0, 1),
            &done(1, 0),
            r#"{"resumed":1}"#,
            &done(1, 3),
        ]
        .join("\n"),
        done(0, 0),
    ];
    let tokens = [
        "\n",
        "{\"resumed\":0}\n",
        "{\"complete\":1}\n",
        FINGERPRINT,
        "\"release\":",
        "\"index\":",
        "18446744073709551615",
        "-1",
        "1e3",
        "null",
        "0",
        "1",
        "2",
        "{",
        "}",
    ];
    Fuzz::new(&journals, &tokens).run(|bytes| {
        let lines = bytes.split(|&byte| byte == b'\n');
        let entries = lines.map(<[u8]>::to_vec).collect();
        let Ok(prior) = PriorRun::parse(Entries { entries, len: 0 }) else {
            return (0, 0, 0, false);
        };
        let Some(prior) = prior else {
            return (1, 0, 0, false);
        };
        let releases: Vec<u64> = prior.done.iter().map(|done| done.release).collect();
        assert!(
            releases.iter().copied().eq(0..releases.len() as u64),
            "{releases:?}"
        );
        let start = prior.start();
        assert_eq!(start.position.is_some(), start.index > 0);
        // All shards before it are done, and the next one is not.
        let indexes: Vec<u64> = prior.done.iter().map(|done| done.index).collect();
        assert!(
            (0..start.index).all(|index| indexes.contains(&index)),
            "{indexes:?}"
        );
        assert!(!indexes.contains(&start.index));
        assert!(
            start
                .done
                .iter()
                .all(|&index| index > start.index && indexes.contains(&index))
        );
        (2, releases.len(), start.done.len(), prior.is_complete())
    });
}
