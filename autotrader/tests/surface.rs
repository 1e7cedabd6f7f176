//! Whatever is sent: never a 5xx, and every error is JSON with a code.

mod common;

use common::{answer, config, start};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use tempfile::tempdir;

/// A request of some kind: mostly near to what the endpoints take.
#[derive(Clone, Debug)]
struct Sent {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

fn sent() -> impl Strategy<Value = Sent> {
    let methods = [
        "GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "BREW",
    ];
    let paths = autotrader::service::http::PATHS.map(|(path, _)| path);
    // The stream of events has no end to wait for.
    let paths: Vec<_> = paths
        .into_iter()
        .filter(|path| *path != "/events")
        .collect();
    let path = prop_oneof![
        8 => prop::sample::select(paths).prop_map(str::to_owned),
        1 => "/[a-zA-Z0-9._~/%-]{0,40}",
    ];
    let query = prop_oneof![
        Just(String::new()),
        "\\?base_currency=(ETH|BTC|[a-zA-Z0-9%&=+;_]{0,30})",
        "\\?[ -~&&[^#]]{0,40}",
    ];
    let name = prop::sample::select(vec![
        "content-type",
        "accept",
        "origin",
        "host",
        "authorization",
        "expect",
        "x-a",
        "if-none-match",
        "range",
        "cookie",
        "te",
        "upgrade",
    ]);
    let value = prop_oneof![
        Just("application/json".to_owned()),
        Just("application/json; charset=utf-8".to_owned()),
        "[ -~]{0,60}",
    ];
    let headers = prop::collection::vec((name.prop_map(str::to_owned), value), 0..5);
    let body = prop_oneof![
        Just(br#"{"base_currency":"ETH"}"#.to_vec()),
        r#"\{"base_currency":"[^"\\]{0,20}"\}"#.prop_map(String::into_bytes),
        r#"[{}\[\]",:0-9a-z]{0,60}"#.prop_map(String::into_bytes),
        prop::collection::vec(any::<u8>(), 0..200),
        Just(vec![b'['; 4_000]),
        Just(vec![b'x'; 5_000]),
    ];
    (
        prop::sample::select(methods.to_vec()),
        path,
        query,
        headers,
        body,
    )
        .prop_map(|(method, path, query, headers, body)| Sent {
            method: method.to_owned(),
            path: format!("{path}{query}"),
            headers,
            body,
        })
}

#[test]
fn nothing_that_is_sent_is_answered_with_a_5xx() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let directory = tempdir().unwrap();
    let service = runtime.block_on(start(config(&directory)));
    let config = Config {
        cases: 600,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let result = runner.run(&sent(), |sent| {
        let method = reqwest::Method::from_bytes(sent.method.as_bytes()).unwrap();
        let mut request = service
            .http
            .request(method, format!("{}{}", service.url, sent.path));
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        let (status, body) = runtime.block_on(answer(request.body(sent.body.clone())));
        prop_assert!(status < 500, "{status} {body}");
        let head = sent.method == "HEAD";
        if status >= 400 && !head {
            let code = body["error"]["code"].as_str().unwrap_or_default();
            prop_assert!(!code.is_empty(), "{status} without a code: {body}");
            prop_assert_eq!(&body["ok"], false);
        }
        Ok(())
    });
    runtime.block_on(service.end());
    if let Err(error) = result {
        panic!("{error}");
    }
}
