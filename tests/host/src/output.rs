//! What components print: whole lines to the host's standard output, as they are.

use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};

/// Standard output and standard error of every component.
#[derive(Clone, Copy)]
pub struct Output;

/// One instance's stream: holds back an unfinished line, so that lines of several instances do not mix.
#[derive(Default)]
struct Lines(Vec<u8>);

impl Lines {
    fn take_in(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
        if let Some(end) = self.0.iter().rposition(|&byte| byte == b'\n') {
            let rest = self.0.split_off(end + 1);
            print(&std::mem::replace(&mut self.0, rest));
        }
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            self.0.push(b'\n');
            print(&self.0);
        }
    }
}

fn print(lines: &[u8]) {
    let mut stdout = std::io::stdout().lock();
    // A reader that went away must not stop the serving.
    let _ = stdout.write_all(lines).and_then(|()| stdout.flush());
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Lines::default())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(Lines::default())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Lines {
    async fn ready(&mut self) {}
}

impl OutputStream for Lines {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.take_in(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(64 * 1024)
    }
}

impl AsyncWrite for Lines {
    fn poll_write(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.take_in(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
