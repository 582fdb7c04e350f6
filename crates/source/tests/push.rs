//! What a client of `push:` is promised.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use moodring_http::Tokens;
use moodring_record::{FieldNames, Format, Layout, Quoting};
use moodring_source::push::{DEFAULT_MAX_BODY, Push, PushOptions};
use moodring_source::{Done, Full, Outlet, Refused, Segment, Source, Status};

/// Takes what is offered, unless it is told otherwise.
#[derive(Default)]
struct Taken {
    segments: Mutex<Vec<Segment>>,
    is_closed: AtomicBool,
    is_full: AtomicBool,
    is_broken: AtomicBool,
}

impl Outlet for Taken {
    fn submit(&self, _: Segment) -> Result<(), Refused> {
        unreachable!("a handler must not block")
    }

    fn offer(&self, segment: Segment, done: Done) -> Result<(), Full> {
        if self.is_full.load(Ordering::SeqCst) {
            return Err(Full(Box::new(segment)));
        }
        if self.is_broken.load(Ordering::SeqCst) {
            done(Err(Refused::NotStored("the disk is full".to_owned())));
            return Ok(());
        }
        let mut segments = self.segments.lock().unwrap();
        let is_known = |taken: &Segment| taken.key.is_some() && taken.key == segment.key;
        let outcome = if segments.iter().any(is_known) {
            Err(Refused::Repeated)
        } else {
            segments.push(segment);
            Ok(())
        };
        done(outcome);
        Ok(())
    }

    fn set_status(&self, _: Status) {}

    fn gap(&self, _: &str) {}

    fn wait(&self, _: Duration) -> bool {
        !self.is_closed()
    }

    fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }
}

struct Running {
    address: SocketAddr,
    taken: Arc<Taken>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Running {
    fn start(tokens: Option<Tokens>) -> Self {
        let fields = FieldNames {
            text: "text".to_owned(),
            ..FieldNames::default()
        };
        let layout = Layout::detect(Format::Jsonl, Quoting::Auto, &fields, &[], b"", false);
        let push = Push::bind(PushOptions {
            address: "127.0.0.1:0".parse().unwrap(),
            tokens,
            names: Vec::new(),
            max_body: DEFAULT_MAX_BODY,
            layout: layout.unwrap(),
        });
        let push = push.unwrap();
        let address = push.address().unwrap();
        let taken = Arc::new(Taken::default());
        let outlet: Arc<dyn Outlet> = Arc::<Taken>::clone(&taken);
        let thread = thread::spawn(move || Box::new(push).run(None, outlet));
        Self {
            address,
            taken,
            thread: Some(thread),
        }
    }

    /// Sends a body, and returns the status and the response.
    fn post(&self, headers: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_mins(1)))
            .unwrap();
        let head = format!(
            "POST /api/v1/posts HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // A server that refuses a body by its length need not read it.
        let _ = stream.write_all(body.as_bytes());
        let mut response = String::new();
        let _ = stream.read_to_string(&mut response);
        let status = response.split(' ').nth(1).and_then(|it| it.parse().ok());
        (status.unwrap_or_default(), response)
    }

    fn bytes(&self) -> String {
        let segments = self.taken.segments.lock().unwrap();
        let bytes = segments.iter().flat_map(|segment| &segment.bytes);
        String::from_utf8(bytes.copied().collect()).unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.taken.is_closed.store(true, Ordering::SeqCst);
        let ended = self.thread.take().map(thread::JoinHandle::join);
        if !thread::panicking() {
            assert!(matches!(ended, Some(Ok(()))), "the source did not end");
        }
    }
}

#[test]
fn posts_are_accepted_as_lines_arrays_and_objects() {
    let running = Running::start(None);
    for body in [
        "{\"text\":\"a\"}\n{\"text\":\"b\"}\n",
        "[{\"text\":\"c\"},\n{\"text\":\"d\"}]",
    ] {
        let (status, response) = running.post("", body);
        assert_eq!(status, 202, "{response}");
        let told = "{\"accepted\":2,\"repeated\":false}";
        assert!(response.ends_with(told), "{response}");
    }
    let json = "Content-Type: application/json\r\n";
    assert_eq!(running.post(json, "{\"text\":\n\"e\"}").0, 202);
    let texts = ["\"a\"", "\"b\"", "\"c\"", "\"d\"", " \"e\""];
    let expected: String = texts.map(|text| format!("{{\"text\":{text}}}\n")).concat();
    assert_eq!(running.bytes(), expected);
}

#[test]
fn what_cannot_be_taken_is_refused_with_the_reason() {
    let running = Running::start(None);
    assert_eq!(running.post("", "").0, 400);
    assert_eq!(running.post("", "[{\"text\":\"a\"}").0, 400);
    assert_eq!(running.post("Content-Type: image/png\r\n", "x").0, 415);
    let large = "x".repeat(DEFAULT_MAX_BODY + 1);
    assert_eq!(running.post("", &large).0, 413);
    running.taken.is_broken.store(true, Ordering::SeqCst);
    assert_eq!(running.post("", "{}").0, 503);
    running.taken.is_full.store(true, Ordering::SeqCst);
    let (status, response) = running.post("", "{}");
    assert_eq!(status, 429);
    let response = response.to_lowercase();
    assert!(response.contains("\r\nretry-after: 1\r\n"), "{response}");
    assert_eq!(running.bytes(), "");
}

#[test]
fn a_request_that_is_sent_again_under_its_key_is_counted_once() {
    let running = Running::start(None);
    let (first, second) = ("Idempotency-Key: 7\r\n", "Idempotency-Key: 8\r\n");
    let post = "{\"text\":\"a\"}";
    assert_eq!(running.post(first, post).0, 202);
    let (status, response) = running.post(first, post);
    assert_eq!(status, 202);
    assert!(response.ends_with("\"repeated\":true}"), "{response}");
    assert_eq!(running.post(second, post).0, 202);
    assert_eq!(running.bytes(), format!("{post}\n{post}\n"));
}

#[test]
fn a_server_with_tokens_takes_posts_only_with_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    std::fs::write(&file, "ingest 0123456789abcdefghij\n").unwrap();
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let running = Running::start(Some(Tokens::read(&file).unwrap()));
    assert_eq!(running.post("", "{\"text\":\"a\"}").0, 401);
    let token = "Authorization: Bearer 0123456789abcdefghij\r\n";
    assert_eq!(running.post(token, "{\"text\":\"a\"}").0, 202);
}
