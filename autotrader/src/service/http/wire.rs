//! What a client is told whose request is none.
//!
//! Knows the heads without a body by which hyper refuses a request before any service sees it, and
//! keeps them back, so that the refusal can be one of ours: JSON with a code. Does not know
//! requests.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::error::ApiError;

/// How long a client that is sent away may take to go.
const FAREWELL: Duration = Duration::from_millis(500);

/// The statuses by which hyper refuses: a head that cannot be read, a path or a head too long.
const REFUSALS: [StatusCode; 3] = [
    StatusCode::BAD_REQUEST,
    StatusCode::URI_TOO_LONG,
    StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
];

/// A connection on which hyper's own refusals are not sent.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    /// The refusal that was kept back: the last thing that hyper says on a connection.
    pub(super) refused: Option<StatusCode>,
}

/// Where a refusal begins that ends these bytes, and its status. An endpoint's answer is none: with
/// one of these statuses it has a body, also in the length that it announces to a `HEAD`.
fn refusal(bytes: &[u8]) -> Option<(usize, StatusCode)> {
    const START: &[u8] = b"HTTP/1.1 ";
    if !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let begin = bytes
        .windows(START.len())
        .rposition(|window| window == START)?;
    let head = std::str::from_utf8(&bytes[begin..]).ok()?;
    let is_empty = head
        .lines()
        .any(|line| line.eq_ignore_ascii_case("content-length: 0"));
    let status = head.split(' ').nth(1)?.parse().ok()?;
    (is_empty && REFUSALS.contains(&status)).then_some((begin, status))
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S) -> Self {
        Wire {
            stream,
            refused: None,
        }
    }

    /// Says why, and hangs up: in this order also for a client that has more to send.
    pub(super) async fn refuse(mut self, status: StatusCode) {
        let (code, message) = match status {
            StatusCode::REQUEST_TIMEOUT => ("head_too_slow", "the head took too long"),
            StatusCode::URI_TOO_LONG => ("path_too_long", "the path is too long"),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => {
                ("head_too_large", "the head is too large")
            }
            _ => ("bad_http", "this is not HTTP/1"),
        };
        let body = ApiError::new(status, code, message).body().to_string();
        let reason = status.canonical_reason().unwrap_or_default();
        let answer = format!(
            "HTTP/1.1 {} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
             connection: close\r\n\r\n{body}",
            status.as_str(),
            body.len()
        );
        let farewell = async {
            self.stream.write_all(answer.as_bytes()).await?;
            self.stream.shutdown().await?;
            // A connection that is closed with something unread is reset, and the answer lost.
            let mut rest = [0; 4096];
            while self.stream.read(&mut rest).await? > 0 {}
            io::Result::Ok(())
        };
        // Whoever does not want to hear it does not.
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
    }

    pub(super) async fn hang_up(mut self) {
        let _ = self.stream.shutdown().await;
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

/// Not vectored, so that a head comes in one piece.
impl<S: AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let bytes = match refusal(bytes) {
            Some((0, status)) => {
                self.refused = Some(status);
                return Poll::Ready(Ok(bytes.len()));
            }
            // First the answer before it.
            Some((begin, _)) => &bytes[..begin],
            None => bytes,
        };
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_answer_without_a_body_is_a_refusal() {
        let head = |status: &str, length: usize| {
            format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\ndate: now\r\n\r\n")
        };
        let refused = head("431 Request Header Fields Too Large", 0);
        let body = "{\"ok\":true}";
        let before = format!("{}{body}", head("200 OK", body.len()));
        let cases = [
            (refused.clone(), Some((0, 431))),
            (head("400 Bad Request", 0), Some((0, 400))),
            (format!("{before}{refused}"), Some((before.len(), 431))),
            (before, None),
            // The answers of endpoints, also to a `HEAD`.
            (head("400 Bad Request", 60), None),
            (head("204 No Content", 0), None),
            (head("404 Not Found", 0), None),
            ("0\r\n\r\n".to_owned(), None),
            (String::new(), None),
        ];
        for (bytes, expected) in cases {
            let found = refusal(bytes.as_bytes()).map(|(begin, status)| (begin, status.as_u16()));
            assert_eq!(found, expected, "{bytes}");
        }
    }

    #[tokio::test]
    async fn the_answer_before_a_refusal_is_sent() {
        let (here, mut there) = tokio::io::duplex(1024);
        let mut wire = Wire::new(here);
        let refused = "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        wire.write_all(format!("before{refused}").as_bytes())
            .await
            .unwrap();
        assert_eq!(wire.refused, Some(StatusCode::BAD_REQUEST));
        let heard = async {
            let mut heard = String::new();
            there.read_to_string(&mut heard).await.unwrap();
            heard
        };
        let (heard, ()) = tokio::join!(heard, wire.refuse(StatusCode::BAD_REQUEST));
        let (before, answer) = heard.split_at(6);
        assert_eq!(before, "before");
        assert!(
            answer.starts_with("HTTP/1.1 400 Bad Request\r\n"),
            "{answer}"
        );
        assert!(answer.ends_with("}"), "{answer}");
        assert_eq!(heard.matches("HTTP/1.1").count(), 1);
    }
}
