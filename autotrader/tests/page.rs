//! The status page in a real browser: live, on a phone, with buttons that do what they say.

mod common;

#[path = "../../cli/src/report/tests/chromium.rs"]
#[expect(
    dead_code,
    reason = "shared with the tests of the reports, which press keys"
)]
mod chromium;

use std::time::Duration;

use chromium::{Chromium, installed};
use common::{Running, config, start};
use serde_json::{Value, json};
use tempfile::tempdir;

/// Looks at the page until an expression is true.
fn until(browser: &mut Chromium, expression: &str) {
    for _ in 0..600 {
        if browser.value(expression) == true {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let page = browser.value("document.body.innerText");
    panic!(
        "it never came to `{expression}`:\n{}",
        page.as_str().unwrap_or_default()
    );
}

/// Keeps a picture for whoever wants to look: `AUTOTRADER_PICTURES=directory`.
fn keep(browser: &mut Chromium, name: &str) {
    if let Some(directory) = std::env::var_os("AUTOTRADER_PICTURES") {
        let file = std::path::Path::new(&directory).join(format!("{name}.png.base64"));
        std::fs::write(file, browser.picture()).unwrap();
    }
}

fn click(browser: &mut Chromium, selector: &str) {
    until(
        browser,
        &format!("!document.querySelector('{selector}').disabled"),
    );
    browser.value(&format!("document.querySelector('{selector}').click()"));
}

fn tags(browser: &mut Chromium, symbol: &str) -> Value {
    browser.value(&format!(
        "[...document.querySelectorAll('#c-{symbol} .tag')].map((tag) => tag.textContent)"
    ))
}

#[expect(clippy::print_stderr, reason = "a test that does nothing must say so")]
fn browser() -> Option<Chromium> {
    let Some(program) = installed() else {
        eprintln!("skipped: no Chromium here; install the package `chromium`");
        return None;
    };
    Some(Chromium::start(&program))
}

fn with_service(change: fn(&mut autotrader::service::config::Config), body: impl FnOnce(&Running)) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let directory = tempdir().unwrap();
    let mut config = config(&directory);
    config.currencies = autotrader::service::config::Config::default().currencies;
    change(&mut config);
    let service = runtime.block_on(start(config));
    body(&service);
    runtime.block_on(service.end());
}

#[test]
fn buttons_reset_and_resume_and_the_page_follows() {
    let Some(mut browser) = browser() else { return };
    with_service(
        |_| {},
        |service| {
            browser.appear(1280, 900, "light");
            browser.open(&service.url);
            until(
                &mut browser,
                "document.querySelectorAll('article').length === 16",
            );
            until(
                &mut browser,
                "document.querySelector('#state').textContent === 'trading'",
            );
            // Live: the numbers change while nobody does anything.
            let before = browser.value("document.querySelector('#numbers').textContent");
            until(
                &mut browser,
                &format!("document.querySelector('#numbers').textContent !== {before}"),
            );
            click(&mut browser, "#c-BTC [aria-label=\"Reset BTC\"]");
            until(
                &mut browser,
                "document.querySelector('#say').textContent.includes('reset BTC: ok')",
            );
            until(
                &mut browser,
                "document.querySelector('#c-BTC').className === 'paused'",
            );
            assert_eq!(tags(&mut browser, "BTC"), json!(["idle", "paused"]));
            keep(&mut browser, "wide-light");
            click(&mut browser, "#c-BTC [aria-label=\"Resume BTC\"]");
            until(
                &mut browser,
                "document.querySelector('#say').textContent.includes('resume BTC: ok')",
            );
            until(
                &mut browser,
                "document.querySelector('#c-BTC').className !== 'paused'",
            );
            assert_eq!(tags(&mut browser, "BTC")[1], "not paused");
            click(&mut browser, "#stop");
            until(
                &mut browser,
                "document.querySelector('#state').textContent === 'stopped'",
            );
            let dead = browser.value(
                "[...document.querySelectorAll('article button')].every((button) => button.disabled)",
            );
            assert_eq!(dead, true, "nothing to reset while it stands still");
            click(&mut browser, "#start");
            until(
                &mut browser,
                "document.querySelector('#state').textContent === 'trading'",
            );
        },
    );
}

#[test]
fn it_fits_a_phone() {
    let Some(mut browser) = browser() else { return };
    with_service(
        |_| {},
        |service| {
            for (width, look) in [(320, "light"), (390, "dark"), (1280, "dark")] {
                browser.appear(width, 800, look);
                browser.open(&service.url);
                until(
                    &mut browser,
                    "document.querySelectorAll('article').length === 16",
                );
                let wide = browser.value("document.documentElement.scrollWidth");
                assert_eq!(wide, width, "nothing to scroll sideways to");
                let small = browser.value(
                    "[...document.querySelectorAll('button')]
                        .filter((button) => button.offsetParent !== null)
                        .filter((button) => button.getBoundingClientRect().height < 44).length",
                );
                assert_eq!(small, 0, "every button is large enough for a thumb");
                keep(&mut browser, &format!("{width}-{look}"));
            }
        },
    );
}

#[test]
fn a_token_is_asked_for_once() {
    let Some(mut browser) = browser() else { return };
    with_service(
        |config| config.token.0 = "a-token-of-some-length".to_owned(),
        |service| {
            browser.appear(390, 800, "light");
            browser.open(&service.url);
            until(&mut browser, "!document.querySelector('#login').hidden");
            assert_eq!(
                browser.value("document.querySelectorAll('article').length"),
                0
            );
            browser.value(
                "document.querySelector('#token').value = 'a-token-of-some-length';
                 document.querySelector('#login').requestSubmit()",
            );
            until(
                &mut browser,
                "document.querySelectorAll('article').length === 16",
            );
            click(&mut browser, "#c-GT [aria-label=\"Reset GT\"]");
            until(
                &mut browser,
                "document.querySelector('#say').textContent.includes('reset GT: ok')",
            );
        },
    );
}
