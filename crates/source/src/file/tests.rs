//! Files that grow, are rotated, truncated and replaced, while the follower runs and while it does not.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

use moodring_record::Format;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::testing::{Recorder, style};

/// A folder with a file in it, somebody who writes into it, and somebody who follows it.
struct World {
    folder: TempDir,
    format: Format,
    writer: Option<File>,
    recorder: Recorder,
    follower: Option<Follower>,
    written: Vec<String>,
}

impl World {
    fn new(format: Format) -> World {
        World {
            folder: tempfile::tempdir().unwrap(),
            format,
            writer: None,
            recorder: Recorder::default(),
            follower: None,
            written: Vec::new(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("posts.log")
    }

    fn rotated(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("posts.log.{number}"))
    }

    fn options(&self) -> Options {
        Options {
            path: self.path(),
            name: "posts.log".to_owned(),
            follow: true,
            compression: Compression::None,
            style: style(self.format),
        }
    }

    fn write(&mut self, text: &str) {
        let path = self.path();
        let writer = self.writer.get_or_insert_with(|| {
            OpenOptions::new()
                .append(true)
                .create(true)
                .open(path)
                .unwrap()
        });
        if self.format == Format::Csv && writer.metadata().unwrap().len() == 0 {
            writer.write_all(b"text,time\n").unwrap();
        }
        writer.write_all(text.as_bytes()).unwrap();
    }

    /// Starts a follower where the last segment that was delivered ends.
    fn start(&mut self) {
        if self.follower.is_none() {
            let from = self
                .recorder
                .lock()
                .segments
                .last()
                .map(|last| last.position.clone());
            let clock = Box::new(self.recorder.clone());
            self.follower = Some(Follower::new(self.options(), from.flatten(), clock));
        }
    }

    /// Kills the follower. The last segments it delivered were not committed.
    fn kill(&mut self, uncommitted: usize) {
        self.follower = None;
        let segments = &mut self.recorder.lock().segments;
        let kept = segments.len().saturating_sub(uncommitted);
        segments.truncate(kept.max(1));
    }

    /// Takes some turns, and fewer if the follower waits. Gives how it ended.
    fn turns(&mut self, most: usize) -> Option<Halt> {
        for _ in 0..most {
            match self.follower.as_mut()?.turn(&self.recorder) {
                Ok(Turn::Again) => {}
                Ok(Turn::Wait(_)) => return None,
                Err(halt) => return Some(halt),
            }
        }
        None
    }

    /// Lets the follower read all there is.
    fn settle(&mut self) {
        self.start();
        assert_eq!(self.turns(10_000), None);
    }

    fn shift(&self) {
        let count = (1..1000)
            .find(|&number| !self.rotated(number).exists())
            .unwrap();
        for number in (1..count).rev() {
            fs::rename(self.rotated(number), self.rotated(number + 1)).unwrap();
        }
    }

    fn has_position(&self) -> bool {
        !self.recorder.lock().segments.is_empty()
    }

    fn gaps(&self) -> Vec<String> {
        self.recorder.lock().gaps.clone()
    }
}

#[derive(Debug, Clone)]
enum Event {
    /// Writes records with that many bytes more than they need, and the first bytes of another one if `is_torn`.
    Write {
        padding: Vec<usize>,
        is_torn: bool,
    },
    /// Renames the file. The writer finishes its line in the old file, before or after that, and opens a new one.
    Rename {
        is_finished_late: bool,
    },
    /// Copies the file and empties it.
    CopyAndTruncate,
    Turns(usize),
    Kill {
        uncommitted: usize,
    },
    Start,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let padding = prop::collection::vec(0_usize..3000, 0..6);
    let event = prop_oneof![
        6 => (padding, any::<bool>()).prop_map(|(padding, is_torn)| Event::Write { padding, is_torn }),
        2 => any::<bool>().prop_map(|is_finished_late| Event::Rename { is_finished_late }),
        1 => Just(Event::CopyAndTruncate),
        6 => (1_usize..8).prop_map(Event::Turns),
        1 => (0_usize..3).prop_map(|uncommitted| Event::Kill { uncommitted }),
        3 => Just(Event::Start),
    ];
    prop::collection::vec(event, 1..60)
}

/// Writes numbered records and keeps account of them.
struct Author {
    world: World,
    /// The record whose first bytes have been written, and how many.
    torn: Option<(String, usize)>,
}

impl Author {
    fn next_record(&self, padding: usize) -> String {
        let number = self.world.written.len();
        let padding = "x".repeat(padding);
        match self.world.format {
            Format::Csv => format!("\"post {number}\n{padding}\",{number}"),
            _ => format!("{{\"text\":\"post {number} {padding}\"}}"),
        }
    }

    fn finish_line(&mut self) {
        if let Some((record, begun)) = self.torn.take() {
            self.world.write(&format!("{}\n", &record[begun..]));
        }
    }

    fn write(&mut self, padding: &[usize], is_torn: bool) {
        self.finish_line();
        for &padding in padding {
            let record = self.next_record(padding);
            self.world.write(&format!("{record}\n"));
            self.world.written.push(record);
        }
        if is_torn {
            let record = self.next_record(40);
            let begun = record.len() / 2;
            self.world.write(&record[..begun]);
            self.world.written.push(record.clone());
            self.torn = Some((record, begun));
        }
    }

    /// Rotation loses nothing once something was delivered of the file; before that, there is no position to find it by.
    fn prepare_rotation(&mut self) {
        if !self.world.has_position() {
            self.finish_line();
            self.world.settle();
        }
    }

    fn play(&mut self, event: &Event) {
        match event {
            Event::Write { padding, is_torn } => self.write(padding, *is_torn),
            Event::Turns(turns) => assert_eq!(self.world.turns(*turns), None),
            Event::Start => self.world.start(),
            Event::Kill { uncommitted } => {
                if self.world.has_position() {
                    self.world.kill(*uncommitted);
                }
            }
            Event::Rename { is_finished_late } => {
                self.prepare_rotation();
                if !self.world.has_position() || self.world.writer.is_none() {
                    return;
                }
                if !is_finished_late {
                    self.finish_line();
                }
                self.world.shift();
                fs::rename(self.world.path(), self.world.rotated(1)).unwrap();
                assert_eq!(self.world.turns(3), None);
                self.finish_line();
                self.world.writer = None;
            }
            Event::CopyAndTruncate => {
                self.finish_line();
                // Of a file that is emptied before anything of it was delivered, nobody can know the copy.
                self.world.settle();
                if self.world.writer.is_none() {
                    return;
                }
                self.world.shift();
                fs::copy(self.world.path(), self.world.rotated(1)).unwrap();
                File::options()
                    .write(true)
                    .open(self.world.path())
                    .unwrap()
                    .set_len(0)
                    .unwrap();
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn every_record_is_delivered_once_and_in_order(
        format in prop_oneof![Just(Format::Jsonl), Just(Format::Csv)],
        events in events(),
    ) {
        let mut author = Author { world: World::new(format), torn: None };
        for event in &events {
            author.play(event);
        }
        author.finish_line();
        author.world.settle();
        let Author { world, .. } = author;
        prop_assert_eq!(world.gaps(), Vec::<String>::new());
        prop_assert_eq!(world.recorder.records(), world.written);
    }
}

#[test]
fn a_line_is_a_record_once_it_is_complete() {
    let mut world = World::new(Format::Jsonl);
    world.write("{\"text\":\"one\"}\n{\"text\":");
    world.settle();
    assert_eq!(world.recorder.records(), ["{\"text\":\"one\"}"]);
    world.write("\"two\"}\n");
    world.settle();
    assert_eq!(world.recorder.records().len(), 2);
    assert_eq!(
        world.recorder.lock().statuses,
        [Status::CatchingUp, Status::Live]
    );
}

#[test]
fn a_file_that_is_not_there_yet_is_waited_for() {
    let mut world = World::new(Format::Jsonl);
    world.settle();
    let first = world.recorder.lock().statuses[0].clone();
    assert!(
        matches!(first, Status::Retrying { ref why, .. } if why == "there is no file \"posts.log\""),
        "{first:?}"
    );
    world.write("{\"text\":\"one\"}\n");
    world.settle();
    assert_eq!(world.recorder.records().len(), 1);
    assert_eq!(world.recorder.lock().statuses.last(), Some(&Status::Live));
}

#[test]
fn without_following_the_rest_is_a_record() {
    let mut world = World::new(Format::Text);
    world.write("one\ntwo");
    let options = Options {
        follow: false,
        ..world.options()
    };
    world.follower = Some(Follower::new(
        options,
        None,
        Box::new(world.recorder.clone()),
    ));
    assert_eq!(world.turns(100), Some(Halt::Ended));
    assert_eq!(world.recorder.records(), ["one", "two"]);
}

#[test]
fn a_file_that_was_emptied_and_has_grown_past_the_position_is_read_from_its_start() {
    let mut world = World::new(Format::Text);
    world.write("one\n");
    world.settle();
    world.writer.as_ref().unwrap().set_len(0).unwrap();
    world.write("another one\nand more\n");
    world.settle();
    assert_eq!(world.recorder.records(), ["one", "another one", "and more"]);
}

#[test]
fn what_was_written_before_a_copy_was_made_is_read_from_the_copy() {
    let mut world = World::new(Format::Text);
    world.write("one\n");
    world.settle();
    world.write("two\n");
    fs::copy(world.path(), world.rotated(1)).unwrap();
    world.writer.as_ref().unwrap().set_len(0).unwrap();
    world.write("three\n");
    world.settle();
    assert_eq!(world.recorder.records(), ["one", "two", "three"]);
}

#[test]
fn a_file_that_vanished_while_nobody_read_it_is_a_gap() {
    let mut world = World::new(Format::Text);
    world.write("one\n");
    world.settle();
    world.kill(0);
    world.writer = None;
    fs::remove_file(world.path()).unwrap();
    world.write("two\n");
    world.settle();
    assert_eq!(world.recorder.records(), ["one", "two"]);
    let gaps = world.gaps();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert!(
        gaps[0].contains("\"posts.log\" is gone") && gaps[0].contains("past byte 4"),
        "{gaps:?}"
    );
}

#[test]
fn a_rotated_file_that_was_compressed_unread_is_a_gap() {
    let mut world = World::new(Format::Text);
    world.write("one\n");
    world.settle();
    world.kill(0);
    fs::rename(world.path(), world.rotated(3)).unwrap();
    fs::write(world.folder.path().join("posts.log.2.gz"), "").unwrap();
    fs::write(world.rotated(1), "three\n").unwrap();
    fs::write(world.path(), "four\n").unwrap();
    world.settle();
    assert_eq!(world.recorder.records(), ["one", "three", "four"]);
    assert!(
        world.gaps()[0].contains("posts.log.2.gz"),
        "{:?}",
        world.gaps()
    );
}

#[test]
fn a_header_is_read_again_in_each_file() {
    let mut world = World::new(Format::Csv);
    world.write("one,1\n");
    world.settle();
    fs::rename(world.path(), world.rotated(1)).unwrap();
    fs::write(world.path(), "time,more,text\n2,,two\n").unwrap();
    world.settle();
    let segments = world.recorder.lock().segments.clone();
    assert_eq!(segments[1].layout.columns(), ["time", "more", "text"]);
    assert_eq!(segments[1].bytes, b"2,,two\n");
}

#[test]
fn a_header_that_lacks_the_text_stops_the_source() {
    let mut world = World::new(Format::Csv);
    fs::write(world.path(), "time,body\n").unwrap();
    world.start();
    let halt = world.turns(10);
    assert!(
        matches!(&halt, Some(Halt::Stopped(why)) if why.contains("no column \"text\"")),
        "{halt:?}"
    );
}

#[test]
fn a_record_beyond_the_limit_is_one_reject() {
    let mut world = World::new(Format::Text);
    let mut options = world.options();
    options.style.reading.max_record = 100;
    world.follower = Some(Follower::new(
        options,
        None,
        Box::new(world.recorder.clone()),
    ));
    world.write("one\n");
    world.write(&"x".repeat(3_000_000));
    world.settle();
    assert_eq!(world.recorder.records(), ["one"]);
    world.write("\ntwo\n");
    world.settle();
    let segments = world.recorder.lock().segments.clone();
    assert_eq!(segments.len(), 3);
    assert_eq!(
        (
            segments[1].framing_errors[0].offset,
            segments[1].framing_errors[0].len
        ),
        (4, 3_000_001)
    );
    assert_eq!(segments[1].position.as_ref().unwrap().offset, 3_000_005);
    assert_eq!(segments[2].bytes, b"two\n");
}

#[test]
fn a_source_returns_when_the_stream_ends() {
    let mut world = World::new(Format::Text);
    world.write("one\n");
    let recorder = world.recorder.clone();
    let source = Box::new(FileSource::new(world.options()));
    let thread = std::thread::spawn(move || source.run(None, Arc::new(recorder)));
    drop(
        world
            .recorder
            .until(|recorded| recorded.segments.len() == 1),
    );
    world.write("two\n");
    drop(
        world
            .recorder
            .until(|recorded| recorded.segments.len() == 2),
    );
    world
        .recorder
        .change(|recorded| recorded.closes_after = Some(0));
    thread.join().unwrap();
}

mod compressed;
