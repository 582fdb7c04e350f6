//! Logs on standard error.

use std::io::{self, Write};

use clap::ValueEnum;
use tracing::level_filters::LevelFilter;

use crate::run::progress;
use crate::standard_error::{self, LOG_PATIENCE};

/// The least that is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogLevel {
    Off,
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// How a line of the log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl From<LogLevel> for LevelFilter {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Off => Self::OFF,
            LogLevel::Error => Self::ERROR,
            LogLevel::Warn => Self::WARN,
            LogLevel::Info => Self::INFO,
            LogLevel::Debug => Self::DEBUG,
            LogLevel::Trace => Self::TRACE,
        }
    }
}

/// A writer that drops what cannot be written, as when `head` has read enough of it, or has stopped. A line of the log must
/// not end or stop the thread that logs.
struct Lossy;

impl Write for Lossy {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        progress::above(|| standard_error::write(bytes, LOG_PATIENCE));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Starts logging.
pub(crate) fn start(level: LogLevel, format: LogFormat) {
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(LevelFilter::from(level))
        .with_writer(|| Lossy)
        .log_internal_errors(false);
    match format {
        LogFormat::Text => subscriber
            .with_ansi(io::IsTerminal::is_terminal(&io::stderr()))
            .init(),
        LogFormat::Json => subscriber.json().init(),
    }
}
