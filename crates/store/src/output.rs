//! Where scored bytes go: a file that appears when complete, or a stream.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use crate::target::{Target, is_descriptor, is_stdout};
use crate::{PartFile, StoreError};

/// Where scored bytes go.
#[derive(Debug)]
pub enum Output {
    /// A file, into which workers write for themselves.
    File(PartFile),
    /// A stream, which one process writes from front to back.
    Stream(Stream),
}

impl Output {
    /// Opens the output of that name; standard output if there is none or it is `-`. What exists and is no regular
    /// file, such as `/dev/null` or a named pipe, is a stream.
    ///
    /// # Errors
    /// If a file cannot be created there, or exists and may not be replaced for want of `force`.
    pub fn open(name: Option<&Path>, force: bool) -> Result<Output, StoreError> {
        match Target::of(name.unwrap_or(Path::new("-")), force)? {
            Target::File(path) => PartFile::create_at(path, force).map(Output::File),
            Target::Stdout => Stream::stdout().map(Output::Stream),
            Target::Device(path) => Stream::open(path).map(Output::Stream),
        }
    }

    /// Writes `bytes` after those before.
    ///
    /// # Errors
    /// If the disk is full or fails, or if nobody reads the stream any more.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        match self {
            Output::File(part) => part.append(bytes),
            Output::Stream(stream) => stream.write(bytes),
        }
    }

    /// Forces what is written into a file to the disk.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(&self) -> Result<(), StoreError> {
        match self {
            Output::File(part) => part.sync(),
            Output::Stream(_) => Ok(()),
        }
    }

    /// Says that the output is complete. Without this a file does not appear.
    ///
    /// # Errors
    /// If a file is not complete or cannot be given its name.
    pub fn commit(self) -> Result<(), StoreError> {
        match self {
            Output::File(part) => part.commit(),
            Output::Stream(_) => Ok(()),
        }
    }
}

/// An output that can only be written from front to back.
#[derive(Debug)]
pub struct Stream {
    path: PathBuf,
    file: File,
}

impl Stream {
    fn stdout() -> Result<Stream, StoreError> {
        let path = PathBuf::from("-");
        // Past the buffer of `io::stdout`, which looks for line ends in what is whole shards.
        match io::stdout().as_fd().try_clone_to_owned() {
            Ok(descriptor) => Ok(Stream {
                path,
                file: File::from(descriptor),
            }),
            Err(source) => Err(StoreError::Uncreatable { path, source }),
        }
    }

    /// Opens what is there. Waits for the reader of a named pipe.
    fn open(path: PathBuf) -> Result<Stream, StoreError> {
        // To open a descriptor's name again forgets where the shell's `>>` had put it: behind what was there.
        let append = is_descriptor(&path);
        let mut options = OpenOptions::new();
        match options.write(true).append(append).open(&path) {
            Ok(file) => Ok(Stream { path, file }),
            Err(source) => Err(StoreError::Uncreatable { path, source }),
        }
    }

    /// Writes all of `bytes`.
    ///
    /// # Errors
    /// [`StoreError::StdoutClosed`] or [`StoreError::ReaderClosed`] if nobody reads the stream any more; others if the
    /// device is full or fails.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let written = self.file.write_all(bytes);
        written.map_err(|source| match source.kind() {
            ErrorKind::BrokenPipe if is_stdout(&self.path) => StoreError::StdoutClosed,
            ErrorKind::BrokenPipe => StoreError::ReaderClosed {
                path: self.path.clone(),
            },
            _ => StoreError::writing(&self.path, source),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::fd::OwnedFd;

    use super::*;

    #[test]
    fn a_name_that_is_free_becomes_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.jsonl");
        let mut output = Output::open(Some(&path), false).unwrap();
        assert!(matches!(output, Output::File(_)));
        output.append(b"bytes").unwrap();
        output.commit().unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"bytes");
    }

    #[test]
    fn no_name_a_dash_and_devices_are_streams() {
        for name in [None, Some("-"), Some("/dev/stdout"), Some("/dev/null")] {
            let output = Output::open(name.map(Path::new), false).unwrap();
            assert!(matches!(output, Output::Stream(_)), "{name:?}");
            output.commit().unwrap();
        }
    }

    #[test]
    fn a_full_device_is_told() {
        let mut output = Output::open(Some(Path::new("/dev/full")), false).unwrap();
        let error = output.append(b"bytes").unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }), "{error}");
        assert!(error.to_string().contains("free some space"), "{error}");
    }

    #[test]
    fn only_the_reader_of_standard_output_may_leave_early() {
        let unread = |name: &str| {
            let (reader, writer) = io::pipe().unwrap();
            let mut stream = Stream {
                path: name.into(),
                file: File::from(OwnedFd::from(writer)),
            };
            stream.write(b"read").unwrap();
            drop(reader);
            stream.write(b"unread").unwrap_err()
        };
        assert!(matches!(unread("-"), StoreError::StdoutClosed));
        assert!(matches!(unread("pipe"), StoreError::ReaderClosed { .. }));
    }
}
