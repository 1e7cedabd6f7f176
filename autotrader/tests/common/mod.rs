//! A service in this process, on a port of its own.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::sync::Arc;
use std::time::Duration;

use autotrader::service::config::Config;
use autotrader::service::{App, Service, ServiceError};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A running service; it ends with [`Running::end`].
pub(crate) struct Running {
    pub(crate) url: String,
    pub(crate) address: std::net::SocketAddr,
    pub(crate) app: Arc<App>,
    pub(crate) http: reqwest::Client,
    end: oneshot::Sender<()>,
    task: JoinHandle<Result<(), ServiceError>>,
}

/// A configuration for tests: quick passes over three currencies.
pub(crate) fn config(directory: &TempDir) -> Config {
    let mut config = Config::in_directory(directory.path());
    config.currencies.truncate(3);
    config.trading.pass_interval_ms = 5;
    config.exchange.timeout_ms = 1_000;
    config.exchange.order_expiry_ms = 1_000;
    config.trading.shutdown_grace_ms = 5_000;
    config.http.read_timeout_ms = 300;
    config
}

/// Starts it.
pub(crate) async fn start(config: Config) -> Running {
    let service = Service::open(config).await.unwrap();
    let (end, told) = oneshot::channel();
    let address = service.address();
    let app = service.app();
    let task = tokio::spawn(service.run(async {
        // Dropped is told, too.
        let _ = told.await;
    }));
    let http = reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(20));
    Running {
        url: format!("http://{address}"),
        address,
        app,
        http: http.build().unwrap(),
        end,
        task,
    }
}

impl Running {
    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.http.get(format!("{}{path}", self.url))).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        answer(self.http.post(format!("{}{path}", self.url)).json(&body)).await
    }

    pub(crate) async fn stats(&self, symbol: &str) -> Value {
        let (status, body) = self
            .get(&format!("/api/autotrader/stats?base_currency={symbol}"))
            .await;
        assert_eq!(status, 200, "{body}");
        body["stats"].clone()
    }

    /// Waits until something is so; the loop is given its time, however slow the machine.
    pub(crate) async fn until(&self, what: &str, mut is_so: impl AsyncFnMut(&Self) -> bool) {
        for _ in 0..3_000 {
            if is_so(self).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("it never came to this: {what}");
    }

    pub(crate) async fn end(self) {
        self.end.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

/// Status and body; an answer that is no JSON is a text.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await.unwrap();
    let text = || Value::from(String::from_utf8_lossy(&bytes).into_owned());
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or_else(|_| text()),
    )
}
