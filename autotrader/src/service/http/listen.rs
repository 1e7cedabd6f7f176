//! Connections: how many, how large a head, how much patience.
//!
//! Knows sockets and HTTP/1. Does not know endpoints.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

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
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(limits.connections_max));
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
        let service = TowerToHyperService::new(router.clone());
        let connection = graceful.watch(http.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            // What a client does wrong is its own trouble.
            let _ = connection.await;
            drop(permit);
        });
    }
    drop(listener);
    if tokio::time::timeout(DRAIN, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("requests in progress were cut off");
    }
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
