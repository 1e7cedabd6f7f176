//! Connections: how many, how large a head, how much patience.
//!
//! Knows sockets and HTTP/1. Does not know endpoints.

use std::future::poll_fn;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use hyper::server::conn::http1::{self, Parts};
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};

use super::wire::Wire;
use crate::service::config::HttpConfig;

/// Headers of one request.
const HEADERS_MAX: usize = 64;

/// How long the requests in progress may take once the service ends.
const DRAIN: Duration = Duration::from_secs(3);

/// Answers connections until `end`, then lets the requests in progress come to theirs.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: &HttpConfig,
    end: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    // Also how long an idle connection is kept.
    let patience = Duration::from_millis(limits.read_timeout_ms);
    http.timer(TokioTimer::new()).header_read_timeout(patience);
    http.max_buf_size(limits.head_bytes_max)
        .max_headers(HEADERS_MAX);
    let permits = Arc::new(Semaphore::new(limits.connections_max));
    // Each connection has a receiver: when all are dropped all connections are closed.
    let (ending, ended) = watch::channel(false);
    tokio::pin!(end);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &permits) => accepted,
            () = &mut end => break,
        };
        let (stream, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, mostly: it passes.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let connection = converse(http.clone(), stream, router.clone(), ended.clone());
        tokio::spawn(async move {
            connection.await;
            drop(permit);
        });
    }
    drop((listener, ended));
    ending.send_replace(true);
    if tokio::time::timeout(DRAIN, ending.closed()).await.is_err() {
        tracing::warn!("requests in progress were cut off");
    }
}

/// One connection, until it ends or the service does. What a client does wrong is its own trouble,
/// but it is told.
async fn converse(
    http: http1::Builder,
    stream: TcpStream,
    router: Router,
    mut ended: watch::Receiver<bool>,
) {
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request| Box::pin(router.call(request)));
    let mut connection = http.serve_connection(TokioIo::new(Wire::new(stream)), service);
    let result = tokio::select! {
        result = poll_fn(|cx| connection.poll_without_shutdown(cx)) => result,
        () = until(&mut ended) => {
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            poll_fn(|cx| connection.poll_without_shutdown(cx)).await
        }
    };
    let Parts { io, read_buf, .. } = connection.into_parts();
    let wire = io.into_inner();
    let too_slow = result.is_err_and(|error| error.is_timeout()) && !read_buf.is_empty();
    match wire.refused {
        Some(status) => wire.refuse(status).await,
        None if too_slow => wire.refuse(StatusCode::REQUEST_TIMEOUT).await,
        None => wire.hang_up().await,
    }
}

/// Waits until the service ends. (A guard of what was seen would not be `Send`.)
async fn until(ended: &mut watch::Receiver<bool>) {
    // Gone without a word is an end, too.
    let _ = ended.wait_for(|ended| *ended).await;
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> std::io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits)
        .acquire_owned()
        .await
        .map_err(std::io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    stream.set_nodelay(true)?;
    Ok((stream, permit))
}
