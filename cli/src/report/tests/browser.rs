//! The page in a real browser: what a person sees, clicks and types.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::chromium::{Chromium, installed};
use super::{page_of, reports, results_of};

/// A page in a browser; the file lives as long as it.
pub(super) struct Opened {
    browser: Chromium,
    address: String,
    _directory: tempfile::TempDir,
}

/// Opens the page of these models; none on a machine without a browser.
fn opened(models: std::ops::Range<usize>) -> Option<Opened> {
    opened_page(&page_of(&results_of(&reports()[models])))
}

/// Opens a page; none on a machine without a browser, which is said.
#[expect(clippy::print_stderr, reason = "a test that does nothing must say so")]
pub(super) fn opened_page(page: &str) -> Option<Opened> {
    let Some(program) = installed() else {
        eprintln!("skipped: no Chromium here; install the package `chromium`");
        return None;
    };
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("report.html");
    std::fs::write(&file, page).unwrap();
    let address = format!("file://{}", file.display());
    let mut browser = Chromium::start(&program);
    browser.appear(1280, 900, "light");
    browser.open(&address);
    Some(Opened {
        browser,
        address,
        _directory: directory,
    })
}

impl Opened {
    fn go(&mut self, fragment: &str) {
        let address = format!("{}{fragment}", self.address);
        self.browser.open(&address);
    }

    pub(super) fn value(&mut self, expression: &str) -> Value {
        self.browser.value(expression)
    }

    /// The step that the first finding shows, as its row says.
    fn step(&mut self) -> Value {
        self.value("document.querySelector('#f1 tr.now th').textContent.trim()")
    }

    /// What is held and waited for at this step, in the picture.
    fn arrows(&mut self) -> Value {
        self.value(
            "[...document.querySelectorAll('#f1 svg .edge:not(.off)')]
                .filter((edge) => getComputedStyle(edge).visibility === 'visible')
                .map((edge) => edge.textContent.trim()).sort()",
        )
    }

    /// What is held and waited for at this step, in words.
    fn facts(&mut self) -> Value {
        self.value(
            "[...document.querySelectorAll('#f1 .state li')]
                .filter((fact) => fact.offsetParent !== null)
                .map((fact) => fact.textContent.replace(/ since.*/, '').trim()).sort()",
        )
    }
}

/// The steps of `customers_orders`, of which the last two are the waits.
fn last() -> usize {
    reports()[0].findings[0].steps.len()
}

#[test]
fn lanes_have_a_column_for_each_thread() {
    let Some(mut page) = opened(0..1) else { return };
    let heads = page.value(
        "[...document.querySelectorAll('#f1 .steps thead th')].map((head) => head.textContent)",
    );
    assert_eq!(
        heads,
        json!(["step", "main", "new customer", "new order", "where"])
    );
    let rows = page.value("document.querySelectorAll('#f1 .steps tbody tr').length");
    assert_eq!(rows, json!(last()));
    let blocked = page.value(
        "[...document.querySelectorAll('#f1 tr.blocked td.act')]
            .map((cell) => cell.textContent.trim())",
    );
    let waits = [
        "join new customer BLOCKED",
        "lock ordersLock BLOCKED",
        "lock customersLock BLOCKED",
    ];
    assert_eq!(blocked, json!(waits));
    let could = page.value("document.querySelectorAll('#f1 td .alt').length");
    assert!(
        could.as_u64().unwrap() > 0,
        "another thread could have run somewhere"
    );
    let bars = page.value("document.querySelectorAll('#f1 td .bar').length");
    assert!(
        bars.as_u64().unwrap() >= 4,
        "each lock is held in its own row and below"
    );
}

#[test]
fn the_keyboard_steps() {
    let Some(mut page) = opened(0..1) else { return };
    let last = last();
    assert_eq!(page.step(), json!(last.to_string()), "the end comes first");
    assert_eq!(page.facts().as_array().unwrap().len(), 5);
    for (key, step) in [
        ("ArrowLeft", last - 1),
        ("ArrowLeft", last - 2),
        ("ArrowRight", last - 1),
        ("Home", 1),
        ("ArrowLeft", 1),
        ("End", last),
        ("ArrowRight", last),
    ] {
        page.browser.press(key);
        assert_eq!(page.step(), json!(step.to_string()), "after {key}");
        assert_eq!(page.value("location.hash"), json!(format!("#step={step}")));
        let slider = page.value("Number(document.querySelector('#f1 input').value)");
        assert_eq!(slider, json!(step));
    }
}

#[test]
fn the_slider_itself_takes_keys() {
    let Some(mut page) = opened(0..1) else { return };
    page.value("document.querySelector('#f1 input').focus()");
    for (key, step) in [("Home", 1), ("ArrowRight", 2), ("End", last())] {
        page.browser.press(key);
        assert_eq!(page.step(), json!(step.to_string()), "after {key}");
    }
    page.value("document.querySelector('#f1 [data-go=back]').click()");
    assert_eq!(page.step(), json!((last() - 1).to_string()));
}

#[test]
fn the_graph_follows_the_step() {
    let Some(mut page) = opened(0..1) else { return };
    assert_eq!(
        page.arrows(),
        json!(["held by", "held by", "waits for", "waits for"])
    );
    let facts = json!([
        "main waits for new customer",
        "new customer holds customersLock",
        "new customer waits for ordersLock",
        "new order holds ordersLock",
        "new order waits for customersLock",
    ]);
    assert_eq!(page.facts(), facts);
    page.browser.press("Home");
    assert_eq!(page.arrows(), json!([]), "nothing is held at first");
    page.go(&format!("#step={}", last() - 2));
    assert_eq!(
        page.arrows(),
        json!(["held by", "held by"]),
        "both have their first lock"
    );
}

#[test]
fn the_address_names_the_step() {
    let Some(mut page) = opened(0..1) else { return };
    for (fragment, step) in [
        ("#step=4", "4"),
        ("#f1&step=2", "2"),
        ("#f1-s3", "3"),
        ("#step=0", "1"),
    ] {
        page.go(fragment);
        assert_eq!(page.step(), json!(step), "{fragment}");
    }
    // What is no step is passed over.
    for fragment in ["#step=x", "#f9&step=2", "#%E0%A4%A"] {
        page.go(fragment);
        assert_eq!(page.step(), json!(last().to_string()), "{fragment}");
    }
}

#[test]
fn several_findings_have_an_address_each() {
    let Some(mut page) = opened(0..4) else { return };
    page.go("#f2&step=3");
    let now = "document.querySelector('#f2 tr.now th').textContent.trim()";
    assert_eq!(page.value(now), json!("3"));
    page.browser.press("ArrowRight");
    assert_eq!(
        page.value(now),
        json!("4"),
        "keys go to the finding in view"
    );
    assert_eq!(page.value("location.hash"), json!("#f2&step=4"));
    let names = page.value("[...document.querySelectorAll('[id]')].map((one) => one.id)");
    let names: Vec<&str> = names
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let distinct: std::collections::BTreeSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), distinct.len(), "every name is there once");
    let dead = page.value(
        "[...document.querySelectorAll('a[href^=\"#\"]')]
            .filter((link) => !document.getElementById(link.getAttribute('href').slice(1)))
            .map((link) => link.getAttribute('href'))",
    );
    assert_eq!(dead, json!([]), "every link on the page leads somewhere");
}

#[test]
fn the_source_follows_the_step() {
    let Some(mut page) = opened(0..1) else { return };
    page.go(&format!("#step={}", last()));
    let line = "document.querySelector('#f1 .source tr.now code').textContent.trim()";
    assert_eq!(page.value(line), json!("*project.customers.lock() += 1;"));
    let remarks = page.value("document.querySelectorAll('#f1 .source .remark').length");
    assert_eq!(remarks, json!(4), "both places of both edges");
}

#[test]
fn without_scripts_all_of_it_can_be_read() {
    let Some(mut page) = opened(0..1) else { return };
    // Expressions of this test are evaluated all the same.
    page.browser.scripts(false);
    page.go("");
    let hidden = page.value("getComputedStyle(document.querySelector('.player')).display");
    assert_eq!(hidden, json!("none"));
    let rows = page.value(
        "[...document.querySelectorAll('#f1 .steps tbody tr')]
            .filter((row) => row.offsetHeight > 10
                && getComputedStyle(row.cells[1]).opacity === '1').length",
    );
    assert_eq!(rows, json!(last()));
    assert_eq!(
        page.arrows().as_array().unwrap().len(),
        4,
        "the graph shows the end"
    );
    assert_eq!(page.facts().as_array().unwrap().len(), 5);
}

#[test]
fn nothing_is_loaded_from_elsewhere() {
    let Some(mut page) = opened(0..4) else { return };
    let loaded = page.value("performance.getEntriesByType('resource').length");
    assert_eq!(loaded, json!(0));
}

/// No part of the page is wider than the window: what is, scrolls inside of itself.
#[test]
fn it_fits_windows_of_any_width() {
    let Some(mut page) = opened(0..4) else { return };
    for width in [320, 400, 600, 1000, 1280, 2000] {
        page.browser.appear(width, 900, "light");
        let overflow = page.value("document.documentElement.scrollWidth - innerWidth");
        assert!(
            overflow.as_i64().unwrap() <= 0,
            "{width}: {overflow} px too wide"
        );
    }
}

/// In a narrow window too, whoever acts is in sight.
#[test]
fn lanes_scroll_to_who_acts() {
    let Some(mut page) = opened(0..1) else { return };
    page.browser.appear(400, 900, "light");
    for key in ["Home", "End", "ArrowLeft"] {
        page.browser.press(key);
        let hidden = page.value(
            "(() => {
                const cell = document.querySelector('#f1 tr.now td.act').getBoundingClientRect();
                const box = document.querySelector('#f1 .lanes .scroll').getBoundingClientRect();
                return cell.left < box.left - 1 || cell.left > box.right - 40;
            })()",
        );
        assert_eq!(hidden, json!(false), "after {key}");
    }
}

/// Dark only where it is asked for, and never on paper.
#[test]
fn it_prints_light_and_is_dark_in_the_dark() {
    let Some(mut page) = opened(0..1) else { return };
    let mut back = |look: &str| {
        page.browser.appear(1280, 900, look);
        page.value("getComputedStyle(document.body).backgroundColor")
    };
    assert_eq!(back("light"), json!("rgb(251, 250, 248)"));
    assert_eq!(back("dark"), json!("rgb(20, 22, 26)"));
    assert_eq!(back("print"), json!("rgb(255, 255, 255)"));
    let player = page.value("getComputedStyle(document.querySelector('.player')).display");
    assert_eq!(player, json!("none"), "there is nothing to click on paper");
}

/// Pictures for people: `PICTURES=DIR cargo test -p cargo-gordian pictures -- --ignored`.
#[test]
#[ignore = "pictures are looked at by people"]
fn pictures() {
    let directory =
        PathBuf::from(std::env::var_os("PICTURES").expect("PICTURES names a directory"));
    let Some(mut page) = opened(0..4) else { return };
    for (name, width, height, look, fragment, to) in [
        ("light", 1280, 1250, "light", "#f1&step=5", "body"),
        ("dark", 1280, 1250, "dark", "#f1&step=6", "body"),
        ("foreign-release", 1280, 1400, "light", "", "#f2"),
        (
            "self-deadlock",
            1280,
            1400,
            "dark",
            "",
            "article:has(.expected)",
        ),
        ("panic", 1280, 1400, "light", "", "article:last-of-type"),
        ("narrow", 400, 2600, "light", "#f1&step=6", "body"),
        ("print", 800, 1900, "print", "", "body"),
    ] {
        page.browser.appear(width, height, look);
        page.go(fragment);
        page.value(&format!("document.querySelector('{to}').scrollIntoView()"));
        let picture = page.browser.picture();
        std::fs::write(directory.join(format!("{name}.png.base64")), picture).unwrap();
    }
}
