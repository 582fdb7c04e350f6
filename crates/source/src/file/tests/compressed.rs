//! Complete files that are compressed.

use std::io::Write;

use moodring_codec::Compressor;

use super::*;

fn compressed(world: &World, text: &str) -> Options {
    let mut stored = Vec::new();
    let mut compressor = Compressor::new(Compression::Gzip).unwrap();
    compressor.compress(text.as_bytes(), &mut stored).unwrap();
    File::create(world.path())
        .unwrap()
        .write_all(&stored)
        .unwrap();
    Options {
        follow: false,
        compression: Compression::Gzip,
        ..world.options()
    }
}

#[test]
fn a_compressed_file_is_read_on_where_it_was_left() {
    let world = World::new(Format::Text);
    let lines: Vec<_> = (0..2000).map(|number| format!("post {number}")).collect();
    let text = lines.join("\n");
    let options = compressed(&world, &text);
    world
        .recorder
        .change(|recorded| recorded.closes_after = Some(2));
    let halt = read_compressed(&options, None, &world.recorder, &world.recorder);
    assert_eq!(halt, Halt::Closed);

    world
        .recorder
        .change(|recorded| recorded.closes_after = None);
    let from = world.recorder.lock().segments[1].position.clone();
    let halt = read_compressed(&options, from.as_ref(), &world.recorder, &world.recorder);
    assert_eq!(halt, Halt::Ended);
    assert_eq!(world.recorder.records(), text.lines().collect::<Vec<_>>());
    assert!(world.gaps().is_empty());
}

#[test]
fn another_compressed_file_is_read_from_its_start() {
    let world = World::new(Format::Text);
    let options = compressed(&world, "one\n");
    read_compressed(&options, None, &world.recorder, &world.recorder);
    let from = world.recorder.lock().segments[0].position.clone();
    let options = compressed(&world, "two\n");
    read_compressed(&options, from.as_ref(), &world.recorder, &world.recorder);
    assert_eq!(world.recorder.records(), ["one", "two"]);
    assert_eq!(world.gaps().len(), 1);
}
