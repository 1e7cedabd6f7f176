//! The configuration, as the program puts it together and refuses it.

use std::process::{Command, Output};

/// Runs the bot with variables and flags, and nothing else of this environment.
fn run(file: &str, variables: &[(&str, &str)], flags: &[&str]) -> Output {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("autotrader.toml");
    std::fs::write(&path, file).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_autotrader"));
    command
        .env_clear()
        .envs(variables.iter().copied())
        .current_dir(&directory);
    command
        .arg("--print-config")
        .arg("--config")
        .arg(&path)
        .args(flags);
    command.output().unwrap()
}

fn port(file: &str, variables: &[(&str, &str)], flags: &[&str]) -> String {
    let output = run(file, variables, flags);
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let line = text
        .lines()
        .find(|line| line.starts_with("listen"))
        .unwrap();
    line.trim_end_matches('"')
        .rsplit(':')
        .next()
        .unwrap()
        .to_owned()
}

#[test]
fn flags_over_variables_over_file_over_defaults() {
    let file = "listen = \"127.0.0.1:1001\"";
    let variable = [("AUTOTRADER_LISTEN", "127.0.0.1:1002")];
    let flag = ["--listen", "127.0.0.1:1003"];
    assert_eq!(port("", &[], &[]), "8787");
    assert_eq!(port(file, &[], &[]), "1001");
    assert_eq!(port(file, &variable, &[]), "1002");
    assert_eq!(port(file, &variable, &flag), "1003");
    assert_eq!(port("", &variable, &[]), "1002");
}

#[test]
fn a_wrong_value_names_its_key() {
    let row = "rows = [{ drop_permille = 0, volume = 1 }]";
    let two =
        format!("[[currencies]]\nsymbol = \"BTC\"\n{row}\nprofit_permille = 1\npermitted = true\n");
    let files = [
        ("listen = \"here\"", "listen"),
        ("listne = \"127.0.0.1:1\"", "listne"),
        ("listen = \"0.0.0.0:1\"", "token"),
        ("token = \"short\"", "token"),
        ("token = \"a token with spaces\"", "token"),
        ("[exchange]\ntimeout_ms = 0", "exchange.timeout_ms"),
        ("[exchange]\ntimeout_ms = \"soon\"", "exchange.timeout_ms"),
        ("[exchange]\nurl = \"ftp://x\"", "exchange.url"),
        ("[exchange]\nweather = \"rain\"", "exchange.weather"),
        ("[http]\nhead_bytes_max = 10", "http.head_bytes_max"),
        ("currencies = []", "currencies"),
        (&two.repeat(2), "`BTC` is there twice"),
        (&two.replace("BTC", "../x"), "`../x` is not a symbol"),
        ("[log]\nformat = \"xml\"", "log.format"),
        ("this is no TOML", "autotrader.toml"),
    ];
    for (file, word) in files {
        let output = run(file, &[], &[]);
        let text = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{file}: {text}");
        assert!(text.contains(word), "{file}: {text}");
    }
    let variables = [
        (("AUTOTRADER_EXCHANGE__SEED", "x"), "exchange.seed"),
        (("AUTOTRADER_NONE", "x"), "none"),
        (
            ("AUTOTRADER_TRADING__PASS_INTERVAL_MS", "-1"),
            "trading.pass_interval_ms",
        ),
    ];
    for (variable, word) in variables {
        let output = run("", &[variable], &[]);
        // As the variable has it.
        let text = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert_eq!(output.status.code(), Some(2), "{variable:?}: {text}");
        assert!(text.contains(word), "{variable:?}: {text}");
    }
    let output = run("", &[], &["--exchange", "nowhere"]);
    assert!(String::from_utf8_lossy(&output.stderr).contains("exchange.url"));
    let output = run("", &[], &["--log", "a=b=c"]);
    assert!(
        output.status.success(),
        "a filter is looked at when the log begins"
    );
}

#[test]
fn a_token_of_digits_is_a_token() {
    let variables = [
        ("AUTOTRADER_TOKEN", "0123456789012345"),
        ("AUTOTRADER_LISTEN", "0.0.0.0:1"),
    ];
    let output = run("", &variables, &[]);
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains("0123456789"), "it is not shown");
}

#[test]
fn what_is_printed_is_a_file_that_says_the_same() {
    let first = run("", &[], &["--weather", "lossy"]).stdout;
    let again = run(&String::from_utf8(first.clone()).unwrap(), &[], &[]);
    assert_eq!(
        String::from_utf8(again.stdout).unwrap(),
        String::from_utf8(first).unwrap()
    );
}
