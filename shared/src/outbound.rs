//! Requests to third parties: the one door, which opens only to a recipient with an agreement (clause T5); and
//! under a deadline over the whole exchange: a server that drips its answer passes every other timeout.

use std::fmt;
use std::time::Duration;

use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode};
use wasi::clocks::monotonic_clock;
use wasi::http::outgoing_handler;
use wasi::http::types::{
    ErrorCode, Fields, IncomingResponse, Method, OutgoingBody, OutgoingRequest, RequestOptions,
    Scheme,
};
use wasi::io::poll::{self, Pollable};
use wasi::io::streams::{InputStream, StreamError};

use crate::recipient::{self, Recipient};

/// What an exchange may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the first byte sent to the last byte read.
    pub deadline: Duration,
    /// The largest body that is read, in bytes; a larger one is no answer.
    pub max_answer: usize,
}

impl Limits {
    /// For answers of a few lines, as most interfaces give.
    pub const fn small(deadline: Duration) -> Self {
        Self {
            deadline,
            max_answer: 64 * 1024,
        }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// There is no agreement with the other side, so it was not called. It stays so until people act.
    WithoutAgreement,
    /// The request never reached the other side.
    NotSent,
    /// It may have arrived and may have had its effect: no answer in time, or none that can be read.
    Unanswered,
}

impl Failure {
    /// Whether people must act before it can be otherwise.
    pub fn is_lasting(self) -> bool {
        self == Self::WithoutAgreement
    }
}

/// For the log.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WithoutAgreement => "no agreement",
            Self::NotSent => "not reached",
            Self::Unanswered => "no answer",
        })
    }
}

/// Sends `request` to `recipient` and reads the answer whole, all within `limits`.
///
/// # Errors
/// See [`Failure`].
pub fn send(
    recipient: &Recipient,
    request: &Request<Vec<u8>>,
    limits: &Limits,
) -> Result<Response<Vec<u8>>, Failure> {
    if !recipient::has_agreement(recipient) {
        return Err(Failure::WithoutAgreement);
    }
    send_within(request, limits)
}

/// As [`send`], to another component of the application.
pub(crate) fn send_within(
    request: &Request<Vec<u8>>,
    limits: &Limits,
) -> Result<Response<Vec<u8>>, Failure> {
    let nanoseconds = u64::try_from(limits.deadline.as_nanos()).unwrap_or(u64::MAX);
    let deadline = monotonic_clock::subscribe_duration(nanoseconds);
    let answer = exchange(request, nanoseconds, &deadline)?;
    let status = StatusCode::from_u16(answer.status()).map_err(|_| Failure::Unanswered)?;
    let headers = from_wasi(&answer.headers());
    let mut response = Response::new(read_body(&answer, limits.max_answer, &deadline)?);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

fn exchange(
    request: &Request<Vec<u8>>,
    nanoseconds: u64,
    deadline: &Pollable,
) -> Result<IncomingResponse, Failure> {
    let outgoing = to_wasi(request).ok_or(Failure::NotSent)?;
    let body = outgoing.body().map_err(|()| Failure::NotSent)?;
    let options = RequestOptions::new();
    // A host may not offer one of these timeouts; the deadline holds all the same.
    let _ = options.set_connect_timeout(Some(nanoseconds));
    let _ = options.set_first_byte_timeout(Some(nanoseconds));
    let _ = options.set_between_bytes_timeout(Some(nanoseconds));
    let answer =
        outgoing_handler::handle(outgoing, Some(options)).map_err(|error| failure(&error))?;
    // Whoever refuses a request may do so before having read all of it: the answer counts.
    if write_body(&body, request.body(), deadline).is_ok() {
        OutgoingBody::finish(body, None).map_err(|error| failure(&error))?;
    }
    wait(&answer.subscribe(), deadline)?;
    match answer.get() {
        Some(Ok(Ok(answer))) => Ok(answer),
        Some(Ok(Err(error))) => Err(failure(&error)),
        Some(Err(())) | None => Err(Failure::Unanswered),
    }
}

/// Writes as much at a time as the host takes.
fn write_body(body: &OutgoingBody, bytes: &[u8], deadline: &Pollable) -> Result<(), Failure> {
    if bytes.is_empty() {
        return Ok(());
    }
    let stream = body.write().map_err(|()| Failure::Unanswered)?;
    let mut rest = bytes;
    while !rest.is_empty() {
        let room = stream.check_write().map_err(|_| Failure::Unanswered)?;
        let room = usize::try_from(room).unwrap_or(usize::MAX).min(rest.len());
        if room == 0 {
            wait(&stream.subscribe(), deadline)?;
            continue;
        }
        let (now, later) = rest.split_at(room);
        stream.write(now).map_err(|_| Failure::Unanswered)?;
        rest = later;
    }
    stream.flush().map_err(|_| Failure::Unanswered)?;
    wait(&stream.subscribe(), deadline)
}

fn to_wasi(request: &Request<Vec<u8>>) -> Option<OutgoingRequest> {
    let mut headers: Vec<_> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.as_bytes().to_vec()))
        .collect();
    // Without it even an empty body is sent in chunks, which not every server takes.
    if !matches!(*request.method(), http::Method::GET | http::Method::HEAD) {
        let length = request.body().len().to_string();
        headers.push((CONTENT_LENGTH.to_string(), length.into_bytes()));
    }
    let outgoing = OutgoingRequest::new(Fields::from_list(&headers).ok()?);
    let uri = request.uri();
    let scheme = match uri.scheme_str()? {
        "https" => Scheme::Https,
        "http" => Scheme::Http,
        _ => return None,
    };
    outgoing
        .set_method(&Method::Other(request.method().to_string()))
        .ok()?;
    outgoing.set_scheme(Some(&scheme)).ok()?;
    outgoing
        .set_authority(Some(uri.authority()?.as_str()))
        .ok()?;
    outgoing
        .set_path_with_query(Some(uri.path_and_query()?.as_str()))
        .ok()?;
    Some(outgoing)
}

fn from_wasi(headers: &Fields) -> HeaderMap {
    headers
        .entries()
        .into_iter()
        .filter_map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
            let value = HeaderValue::from_bytes(&value).ok()?;
            Some((name, value))
        })
        .collect()
}

fn read_body(
    answer: &IncomingResponse,
    max_answer: usize,
    deadline: &Pollable,
) -> Result<Vec<u8>, Failure> {
    let incoming = answer.consume().map_err(|()| Failure::Unanswered)?;
    let stream = incoming.stream().map_err(|()| Failure::Unanswered)?;
    let mut body = Vec::new();
    loop {
        wait(&stream.subscribe(), deadline)?;
        match read_some(&stream)? {
            Some(bytes) if body.len() + bytes.len() <= max_answer => body.extend(bytes),
            Some(_) => return Err(Failure::Unanswered),
            None => return Ok(body),
        }
    }
}

fn read_some(stream: &InputStream) -> Result<Option<Vec<u8>>, Failure> {
    match stream.read(16 * 1024) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(StreamError::Closed) => Ok(None),
        Err(StreamError::LastOperationFailed(_)) => Err(Failure::Unanswered),
    }
}

fn wait(event: &Pollable, deadline: &Pollable) -> Result<(), Failure> {
    if poll::poll(&[event, deadline]).contains(&0) {
        Ok(())
    } else {
        Err(Failure::Unanswered)
    }
}

fn failure(error: &ErrorCode) -> Failure {
    match error {
        ErrorCode::HttpRequestDenied
        | ErrorCode::HttpRequestUriInvalid
        | ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => Failure::NotSent,
        _ => Failure::Unanswered,
    }
}
