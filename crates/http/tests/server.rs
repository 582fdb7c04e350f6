//! What a server promises to those who are kind and those who are not.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use moodring_http::{BindError, Limits, Names, Server, Tokens};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A server that answers `/` with `hello`.
struct Running {
    runtime: Runtime,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

fn start(limits: Limits) -> Running {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let names = Names::new(&[]);
    let server = runtime.block_on(Server::bind(LOOPBACK, None, names, limits));
    let server = server.unwrap();
    let address = server.address().unwrap();
    let (stop, stopped) = watch::channel(false);
    let router = Router::new().route("/", get(|| async { "hello" }));
    let serving = runtime.spawn(server.run(router, stopped));
    Running {
        runtime,
        address,
        stop,
        serving,
    }
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    let patience = Some(Duration::from_mins(1));
    stream.set_read_timeout(patience).unwrap();
    stream
}

/// Sends a request whose connection closes after the response, and returns that.
fn ask(stream: &mut TcpStream, host: &str) -> String {
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

/// Whether the server closes a connection that sends nothing more. A reset is what the system makes of a close with
/// bytes that nobody read.
fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    match stream.read_to_end(&mut rest) {
        Ok(_) => true,
        Err(error) => error.kind() == ErrorKind::ConnectionReset,
    }
}

#[test]
fn a_request_is_answered_and_a_stranger_is_not() {
    let running = start(Limits::default());
    let response = ask(&mut connect(running.address), "localhost");
    assert!(response.starts_with("HTTP/1.1 200") && response.ends_with("hello"));
    let response = ask(&mut connect(running.address), "evil.example");
    assert!(response.starts_with("HTTP/1.1 421"), "{response}");
    assert!(response.contains("application/problem+json"));
}

#[test]
fn clients_that_never_finish_their_headers_make_room_for_others() {
    let limits = Limits {
        connections: 4,
        ..Limits::default()
    };
    let running = start(limits);
    let mut slow: Vec<_> = (0..4).map(|_| connect(running.address)).collect();
    for stream in &mut slow {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: loc").unwrap();
    }
    for _ in 0..8 {
        let response = ask(&mut connect(running.address), "127.0.0.1");
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    }
    assert!(is_closed(&mut slow[0]));
}

#[test]
fn headers_have_a_deadline_and_a_size() {
    let limits = Limits {
        headers: Duration::from_millis(50),
        header_bytes: 8 << 10,
        ..Limits::default()
    };
    let running = start(limits);
    let mut slow = connect(running.address);
    slow.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    assert!(is_closed(&mut slow));
    let mut large = connect(running.address);
    let filler = "x".repeat(100 << 10);
    let _ = large
        .write_all(format!("GET / HTTP/1.1\r\nHost: localhost\r\nX: {filler}\r\n\r\n").as_bytes());
    let mut response = String::new();
    let _ = large.read_to_string(&mut response);
    assert!(!response.starts_with("HTTP/1.1 200"), "{response}");
}

#[test]
fn a_server_that_is_told_to_stop_closes_idle_connections_and_ends() {
    let running = start(Limits::default());
    let mut idle = connect(running.address);
    idle.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let mut first = [0; 15];
    idle.read_exact(&mut first).unwrap();
    running.stop.send(true).unwrap();
    running.runtime.block_on(running.serving).unwrap();
    assert!(is_closed(&mut idle));
}

#[test]
fn an_address_that_others_can_reach_needs_tokens() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let bind = |address: &str, tokens: Option<&Tokens>| {
        let address = address.parse().unwrap();
        runtime.block_on(Server::bind(
            address,
            tokens,
            Names::new(&[]),
            Limits::default(),
        ))
    };
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = bind(address, None).unwrap_err();
        assert!(matches!(refused, BindError::NeedsTokens(_)), "{refused}");
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tokens");
    std::fs::write(&file, "ingest 0123456789abcdefghij\n").unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let tokens = Tokens::read(Path::new(&file)).unwrap();
    assert!(bind("0.0.0.0:0", Some(&tokens)).is_ok());
}
