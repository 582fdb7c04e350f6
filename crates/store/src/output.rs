//! The output of a run: a file that appears when it is complete, or a stream.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use crate::target::{Target, is_descriptor, is_stdout};
use crate::{PartFile, StoreError};

/// The output of a run.
#[derive(Debug)]
pub enum Output {
    /// A file, which several processes may write.
    File(PartFile),
    /// A stream, which one process writes sequentially.
    Stream(Stream),
}

impl Output {
    /// Opens the output of that name; standard output without a name or for `-`. An existing pipe or device, such as
    /// `/dev/null`, is opened as a stream.
    ///
    /// # Errors
    /// If the file cannot be created, or exists and `force` is not set.
    pub fn open(name: Option<&Path>, force: bool) -> Result<Output, StoreError> {
        match Target::of(name.unwrap_or(Path::new("-")), force)? {
            Target::File(path) => PartFile::create_at(path, force).map(Output::File),
            Target::Stdout => Stream::stdout().map(Output::Stream),
            Target::Device(path) => Stream::open(path).map(Output::Stream),
        }
    }

    /// Appends `bytes`.
    ///
    /// # Errors
    /// If the disk is full or fails, or the reader has closed the stream.
    pub fn append(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        match self {
            Output::File(part) => part.append(bytes),
            Output::Stream(stream) => stream.write(bytes),
        }
    }

    /// Forces all bytes written to a file to the disk. Does nothing for a stream.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn sync(&self) -> Result<(), StoreError> {
        match self {
            Output::File(part) => part.sync(),
            Output::Stream(_) => Ok(()),
        }
    }

    /// Completes the output: gives a file its name.
    ///
    /// # Errors
    /// If the file is not complete or cannot be renamed.
    pub fn commit(self) -> Result<(), StoreError> {
        match self {
            Output::File(part) => part.commit(),
            Output::Stream(_) => Ok(()),
        }
    }
}

/// An output that can only be written sequentially.
#[derive(Debug)]
pub struct Stream {
    path: PathBuf,
    file: File,
}

impl Stream {
    fn stdout() -> Result<Stream, StoreError> {
        let path = PathBuf::from("-");
        // Bypass the buffer of `io::stdout`, which would search whole shards for line ends.
        match io::stdout().as_fd().try_clone_to_owned() {
            Ok(descriptor) => Ok(Stream {
                path,
                file: File::from(descriptor),
            }),
            Err(source) => Err(StoreError::Uncreatable { path, source }),
        }
    }

    /// Opens a pipe or device. Blocks until a named pipe has a reader.
    fn open(path: PathBuf) -> Result<Stream, StoreError> {
        // Opening `/dev/fd/N` again starts at offset 0, even if the shell opened the file with `>>`.
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
    /// [`StoreError::StdoutClosed`] or [`StoreError::ReaderClosed`] if the reader has closed the stream; others if the
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
