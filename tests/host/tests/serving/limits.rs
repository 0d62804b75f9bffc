//! Failures of a component, and limits, end one request and nothing else.

use std::io::{Read, Write};
use std::net::TcpListener;

use crate::host::{Host, manifest};

#[test]
fn a_trap_answers_500_and_the_next_request_works() {
    let host = Host::start(&manifest(""));
    for _ in 0..3 {
        assert_eq!(host.get("/probe/trap").status, 500);
        assert_eq!(host.get("/constant").status, 200);
    }
}

#[test]
fn a_component_that_spins_is_stopped() {
    let host = Host::start_with(&manifest(""), |command| {
        command.args(["--timeout", "1"]);
    });
    assert_eq!(host.get("/probe/loop").status, 500);
    assert_eq!(host.get("/constant").status, 200);
}

#[test]
fn a_large_body_answers_413() {
    let host = Host::start_with(&manifest(""), |command| {
        command.args(["--max-body", "1000"]);
    });
    let exact = vec![b'x'; 1000];
    assert_eq!(
        host.post("/probe/echo", &exact).json()["ok"]["body_length"],
        1000
    );
    let larger = vec![b'x'; 1001];
    assert_eq!(host.post("/probe/echo", &larger).status, 413);
    // A reader has no length that could be declared: the body goes in chunks.
    let mut chunks = std::io::repeat(b'x').take(5000);
    assert_eq!(
        host.post("/probe/echo", ureq::SendBody::from_reader(&mut chunks))
            .status,
        413
    );
}

#[test]
fn a_component_can_limit_its_wait_for_others() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let host = Host::start(&manifest(
        "allowed_outbound_hosts = [\"http://127.0.0.1:*\"]",
    ));
    let answer = host
        .get(&format!(
            "/probe/outbound?first_byte_ms=200&url=http://{address}/"
        ))
        .json();
    assert_eq!(answer["error"], "ErrorCode::ConnectionReadTimeout");
}

#[test]
fn a_signal_lets_requests_under_way_finish() {
    let slow = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = slow.local_addr().unwrap();
    let host = Host::start(&manifest(
        "allowed_outbound_hosts = [\"http://127.0.0.1:*\"]",
    ));
    let url = format!("{}/probe/outbound?url=http://{address}/", host.url());
    let asking = std::thread::spawn(move || {
        ureq::get(url)
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap()
    });
    // The request is under way when its own request has come here.
    let (mut connection, _) = slow.accept().unwrap();
    let ending = std::thread::spawn(move || host.terminate());
    let mut received = [0; 4];
    connection.read_exact(&mut received).unwrap();
    connection
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nslow")
        .unwrap();
    assert!(asking.join().unwrap().contains("slow"));
    assert!(ending.join().unwrap().success());
}
