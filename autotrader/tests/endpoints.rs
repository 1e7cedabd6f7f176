//! Each endpoint, asked well and badly, over real sockets.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use autotrader::service::http::{OPENAPI, PATHS};
use common::{answer, config, start};
use serde_json::{Value, json};
use tempfile::tempdir;

const RESET: &str = "/api/autotrader/reset_cycle";
const RESUME: &str = "/api/autotrader/resume_cycle";

/// What the description says of an answer, checked.
fn check_described(path: &str, method: &str, status: u16, body: &Value) {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let responses = &document["paths"][path][method]["responses"];
    let content = &responses[status.to_string()]["content"]["application/json"]["schema"];
    assert!(
        !content.is_null(),
        "{method} {path}: {status} is not described"
    );
    let mut schema = content.clone();
    schema["components"] = document["components"].clone();
    let found = jsonschema::validate(&schema, body);
    assert!(found.is_ok(), "{method} {path} {status}: {found:?}\n{body}");
}

#[test]
fn every_path_is_described() {
    let document: Value = serde_json::from_str(OPENAPI).unwrap();
    let described = document["paths"].as_object().unwrap();
    assert_eq!(described.len(), PATHS.len());
    for (path, method) in PATHS {
        assert!(described[path][method].is_object(), "{method} {path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_badly_is_answered_with_a_code() {
    let directory = tempdir().unwrap();
    let service = start(config(&directory)).await;
    let btc = json!({ "base_currency": "ETH" });
    let posts = [
        (RESET, btc.clone(), 200, ""),
        (RESUME, btc, 200, ""),
        (RESET, json!({}), 400, "currency_missing"),
        (
            RESET,
            json!({ "base_currency": "" }),
            400,
            "currency_missing",
        ),
        (
            RESET,
            json!({ "base_currency": null }),
            400,
            "currency_missing",
        ),
        (RESUME, json!({ "base_currency": 7 }), 400, "bad_request"),
        (RESUME, json!({ "currency": "ETH" }), 400, "bad_request"),
        (RESET, json!([]), 400, "bad_request"),
        (
            RESET,
            json!({ "base_currency": "NONE" }),
            404,
            "unknown_currency",
        ),
        (
            RESUME,
            json!({ "base_currency": "eth" }),
            404,
            "unknown_currency",
        ),
        (
            RESET,
            json!({ "base_currency": "x".repeat(5_000) }),
            413,
            "body_too_large",
        ),
    ];
    for (path, body, status, code) in posts {
        let (found, answer) = service.post(path, body.clone()).await;
        assert_eq!(
            (found, answer["error"]["code"].as_str().unwrap_or("")),
            (status, code),
            "{body}"
        );
        check_described(path, "post", found, &answer);
    }
    let gets = [
        ("/api/autotrader/stats?base_currency=ETH", 200, ""),
        ("/api/autotrader/stats", 400, "currency_missing"),
        (
            "/api/autotrader/stats?base_currency=",
            400,
            "currency_missing",
        ),
        (
            "/api/autotrader/stats?base_currency=NONE",
            404,
            "unknown_currency",
        ),
        (
            "/api/autotrader/stats?base_currency=%00%ff",
            404,
            "unknown_currency",
        ),
        (
            "/api/autotrader/stats?base_currency=ETH&base_currency=XRP",
            400,
            "bad_request",
        ),
        ("/api/autotrader/currencies", 200, ""),
        ("/healthz", 200, ""),
        ("/openapi.json", 200, ""),
    ];
    for (path, status, code) in gets {
        let (found, answer) = service.get(path).await;
        assert_eq!(
            (found, answer["error"]["code"].as_str().unwrap_or("")),
            (status, code),
            "{path}"
        );
        check_described(path.split('?').next().unwrap(), "get", found, &answer);
    }
    for (path, status, code) in [
        (RESET, 405, "wrong_method"),
        ("/nothing", 404, "no_such_path"),
    ] {
        let (found, answer) = service.get(path).await;
        assert_eq!(
            (found, answer["error"]["code"].as_str()),
            (status, Some(code)),
            "{path}"
        );
    }
    let text = service
        .http
        .post(format!("{}{RESET}", service.url))
        .body("{}");
    let (status, body) = answer(text).await;
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (415, Some("wrong_content_type"))
    );
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_currency_creates_nothing() {
    let directory = tempdir().unwrap();
    let service = start(config(&directory)).await;
    let before = service.get("/api/autotrader/currencies").await.1;
    for symbol in ["NONE", "../../etc", "BTC'; DROP TABLE book", "💥"] {
        for path in [RESET, RESUME] {
            let (status, _) = service.post(path, json!({ "base_currency": symbol })).await;
            assert_eq!(status, 404, "{symbol}");
        }
    }
    assert_eq!(service.get("/api/autotrader/currencies").await.1, before);
    let metrics = service.get("/metrics").await.1;
    assert!(
        !metrics.to_string().contains("NONE"),
        "no time series for it either"
    );
    service.end().await;
    let database = rusqlite::Connection::open(directory.path().join("autotrader.db")).unwrap();
    for table in ["currency", "book"] {
        let count = format!("SELECT count(*) FROM {table}");
        let rows: i64 = database.query_row(&count, [], |row| row.get(0)).unwrap();
        assert_eq!(rows, 3, "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn reset_and_resume_are_so_and_survive() {
    let directory = tempdir().unwrap();
    let mut config = config(&directory);
    let service = start(config.clone()).await;
    service
        .until("ETH is bought", async |it| {
            it.stats("ETH").await["active"] == true
        })
        .await;
    let epoch = service.stats("ETH").await["epoch"].as_u64().unwrap();
    let (status, body) = service.post(RESET, json!({ "base_currency": "ETH" })).await;
    assert_eq!((status, &body["paused"]), (200, &json!(true)));
    let stats = service.stats("ETH").await;
    let seen = (
        &stats["state"],
        &stats["paused"],
        &stats["step"],
        &stats["volume"],
    );
    assert_eq!(seen, (&json!("idle"), &json!(true), &json!(-1), &json!(0)));
    assert!(
        stats["orphaned"].as_i64().unwrap() > 0,
        "what it held is not lost"
    );
    service.end().await;

    // In another order: the database knows which is which.
    config.currencies.reverse();
    let service = start(config).await;
    let again = service.stats("ETH").await;
    assert_eq!(again["paused"], true);
    assert_eq!(again["epoch"], epoch + 1);
    assert_eq!(again["orphaned"], stats["orphaned"]);
    service
        .post(RESUME, json!({ "base_currency": "ETH" }))
        .await;
    assert_eq!(service.stats("ETH").await["paused"], false);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_a_stop_after_a_restart_too() {
    let directory = tempdir().unwrap();
    let config = config(&directory);
    let service = start(config.clone()).await;
    let ask = async |path: &str| {
        let (status, body) = service.post(path, json!({})).await;
        check_described(path, "post", status, &body);
        assert_eq!(status, 200);
        (body["running"].clone(), body["changed"].clone())
    };
    let (start_path, stop_path) = ("/api/autotrade/start", "/api/autotrade/stop");
    assert_eq!(
        ask(start_path).await,
        (json!(true), json!(false)),
        "it ran already"
    );
    assert_eq!(ask(stop_path).await, (json!(false), json!(true)));
    assert_eq!(ask(stop_path).await, (json!(false), json!(false)));
    let (status, body) = service.post(RESET, json!({ "base_currency": "ETH" })).await;
    assert_eq!(
        (status, body["error"]["code"].as_str()),
        (409, Some("not_running"))
    );
    check_described(RESET, "post", status, &body);
    service.end().await;

    let service = start(config).await;
    assert!(
        !service.app.bot().pulse().running,
        "nobody has started it again"
    );
    assert_eq!(
        service.get("/readyz").await.0,
        200,
        "it does what it was told"
    );
    let (status, _) = service.post(start_path, json!({})).await;
    assert_eq!(status, 200);
    service
        .until("one loop passes", async |it| {
            it.app.bot().pulse().passes > 1
        })
        .await;
    assert_eq!(service.app.bot().pulse().loops, 1);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_token_is_asked_for() {
    const TOKEN: &str = "a-token-of-some-length";
    let directory = tempdir().unwrap();
    let mut config = config(&directory);
    config.token.0 = TOKEN.to_owned();
    let service = start(config).await;
    let bearer = |token: &str| format!("Bearer {token}");
    let cases = [
        ("/healthz", None, 200),
        ("/", None, 200),
        ("/metrics", None, 401),
        ("/events", None, 401),
        ("/api/autotrader/currencies", None, 401),
        ("/nothing", None, 401),
        ("/api/autotrader/currencies", Some(bearer(TOKEN)), 200),
        (
            "/api/autotrader/currencies",
            Some(format!("bEaReR {TOKEN}")),
            200,
        ),
        (
            "/api/autotrader/currencies",
            Some(bearer("a-token-of-some-lengtH")),
            401,
        ),
        ("/api/autotrader/currencies", Some(bearer("")), 401),
        ("/api/autotrader/currencies", Some(bearer(&TOKEN[1..])), 401),
        ("/api/autotrader/currencies", Some(TOKEN.to_owned()), 401),
        ("/api/autotrader/currencies", Some("é".to_owned()), 401),
    ];
    for (path, shown, status) in cases {
        let mut request = service.http.get(format!("{}{path}", service.url));
        if let Some(shown) = &shown {
            request = request.header("authorization", shown.as_bytes());
        }
        assert_eq!(answer(request).await.0, status, "{path} {shown:?}");
    }
    let (status, _) = service.post(RESET, json!({ "base_currency": "ETH" })).await;
    assert_eq!(status, 401);
    let app = &service.app;
    assert!(!format!("{app:?}").contains(TOKEN), "it is not logged");
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_others_change_nothing() {
    let directory = tempdir().unwrap();
    let service = start(config(&directory)).await;
    let own = service.url.clone();
    let cases = [
        (Some(own.as_str()), None, 200),
        (Some("http://evil.example"), None, 403),
        (Some("null"), None, 403),
        (None, Some("evil.example"), 403),
        (None, Some("localhost:1"), 200),
        (None, Some("[::1]:80"), 200),
        (None, Some("127.0.0.1.evil.example"), 403),
    ];
    for (origin, host, status) in cases {
        let mut request = service.http.post(format!("{own}/api/autotrade/start"));
        for (name, value) in [("origin", origin), ("host", host)] {
            if let Some(value) = value {
                request = request.header(name, value);
            }
        }
        assert_eq!(answer(request).await.0, status, "{origin:?} {host:?}");
    }
    service.end().await;
}

/// Sends bytes, then waits for the end of the connection; what came back.
fn raw(address: std::net::SocketAddr, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // It may hang up before it has read all of it.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_are_slow_or_too_large_are_sent_away() {
    let directory = tempdir().unwrap();
    let service = start(config(&directory)).await;
    let address = service.address;
    let head = "POST /api/autotrader/reset_cycle HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n";
    let many: String = (0..100)
        .map(|number| format!("x-{number}: y\r\n"))
        .collect();
    let cases = [
        (
            "a body that never comes",
            format!("{head}content-length: 10\r\n\r\n"),
            "408",
            "body_too_slow",
        ),
        (
            "a body that is announced too large",
            format!("{head}content-length: 99999\r\n\r\n"),
            "413",
            "body_too_large",
        ),
        (
            "a head that never ends",
            head.to_owned(),
            "408",
            "head_too_slow",
        ),
        (
            "a head that never ends after one that does",
            format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n{head}"),
            "200",
            "head_too_slow",
        ),
        (
            "a head that is too large",
            format!("{head}x: {}\r\n\r\n", "y".repeat(40_000)),
            "431",
            "head_too_large",
        ),
        (
            "a path that is too long",
            format!(
                "GET /{} HTTP/1.1\r\nhost: localhost\r\n\r\n",
                "y".repeat(70_000)
            ),
            "431",
            "head_too_large",
        ),
        (
            "too many headers",
            format!("{head}{many}\r\n"),
            "431",
            "head_too_large",
        ),
        (
            "something else",
            "\u{16}\u{3}\u{1}\r\n\r\n".to_owned(),
            "400",
            "bad_http",
        ),
        (
            "something else after a request",
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n\u{16}\r\n\r\n".to_owned(),
            "200",
            "bad_http",
        ),
        (
            "another version",
            "GET / HTTP/9.9\r\n\r\n".to_owned(),
            "400",
            "bad_http",
        ),
        ("nothing", String::new(), "", ""),
        (
            "nothing after a request",
            "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n".to_owned(),
            "200",
            "",
        ),
    ];
    for (name, bytes, status, code) in cases {
        let answer = tokio::task::spawn_blocking(move || raw(address, bytes.as_bytes()));
        let answer = answer.await.unwrap();
        let found = answer.split(' ').nth(1).unwrap_or_default();
        assert_eq!(found, status, "{name}: {answer}");
        let last = answer.rsplit("\r\n\r\n").next().unwrap_or_default();
        let body: Value = serde_json::from_str(last).unwrap_or_default();
        assert_eq!(
            body["error"]["code"].as_str().unwrap_or(""),
            code,
            "{name}: {answer}"
        );
    }
    assert_eq!(service.get("/healthz").await.0, 200);
    service.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_told_and_let_go_at_the_end() {
    let directory = tempdir().unwrap();
    let service = start(config(&directory)).await;
    let request = service.http.get(format!("{}/events", service.url));
    let mut events = request.send().await.unwrap();
    let mut text = String::new();
    while text.matches("\"running\":true").count() < 2 {
        let chunk = events.chunk().await.unwrap().expect("it goes on");
        text.push_str(&String::from_utf8_lossy(&chunk));
    }
    assert!(text.contains("\"base_currency\":\"ETH\""), "{text}");
    service.end().await;
    while let Ok(Some(_)) = events.chunk().await {}
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_counted() {
    let directory = tempdir().unwrap();
    let service = start(config(&directory)).await;
    service
        .until("it has traded", async |it| {
            it.stats("XRP").await["volume"] != 0
        })
        .await;
    service.post(RESET, json!({ "base_currency": "SOL" })).await;
    let text = service.get("/metrics").await.1;
    let text = text.as_str().unwrap();
    let wanted = [
        "autotrader_requests_total{endpoint=\"/api/autotrader/reset_cycle\",status=\"200\"} 1",
        "autotrader_currency{currency=\"SOL\",what=\"Paused\"} 1",
        "autotrader_process{name=\"loops\"} 1",
        "autotrader_answer_seconds_bucket",
        "autotrader_critical_section_seconds_count",
        "# EOF",
    ];
    for line in wanted {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    service.end().await;
}
