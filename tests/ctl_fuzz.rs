//! Lines of `ctl` that no client has written: a run answers all the same.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use moodring_fuzz::Fuzz;
use serde_json::Value;

use crate::util::{Running, Workspace};

const REQUESTS: &[&str] = &[
    "\"status\"\n",
    "{\"scale\":3}\n",
    "\"status\"\n\"status\"\n",
    "{\"status\":null}\n",
    "[]",
    "\n",
];

const TOKENS: &[&str] = &[
    "\"status\"",
    "{\"scale\":",
    "3}",
    "0}",
    "-1}",
    "4294967295}",
    "1e9}",
    "null",
    "{",
    "}",
    "[",
    "]",
    "\n",
    "\0",
    "\"",
    "\\u0000",
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// Longer than any answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Sends a line to a run; gives its answer.
fn say(socket: &std::path::Path, line: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The run may have heard enough before all is said.
    let _ = stream.write_all(line);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() != std::io::ErrorKind::ConnectionReset => {
            panic!("no answer: {error}")
        }
        _ => answer,
    }
}

/// Whether a line is an order that would end the run, or give it more workers than a test should have.
fn is_harmful(line: &[u8]) -> bool {
    let first = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
    match serde_json::from_slice::<Value>(first) {
        Ok(Value::String(order)) => order != "status",
        Ok(Value::Object(order)) => order.iter().any(|(name, value)| {
            name == "drain" || name == "stop" || value.as_u64().is_some_and(|workers| workers > 4)
        }),
        _ => false,
    }
}

#[test]
fn a_run_survives_whatever_is_said_to_it() {
    let work = Workspace::new();
    let mut run = Running::endless(&work);
    let socket = work.sockets().join(format!("{}.sock", run.pid()));
    while !socket.exists() {
        assert!(
            run.0.try_wait().unwrap().is_none(),
            "it ended before it could be reached"
        );
        std::thread::yield_now();
    }
    Fuzz::new(REQUESTS, TOKENS).run(|line| {
        if is_harmful(line) {
            return 0;
        }
        let answer = say(&socket, line);
        if answer.is_empty() {
            return 1;
        }
        let answer: Value = serde_json::from_slice(&answer).expect("an answer is a line of JSON");
        2 + answer.to_string().split(':').count()
    });
    let status: Value = serde_json::from_slice(&say(&socket, b"\"status\"\n")).unwrap();
    assert_eq!(status["status"]["pid"], run.pid());
    let (code, said) = run.end();
    assert_eq!(code, 0, "{said}");
}
