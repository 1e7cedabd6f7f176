//! `cargo gordian explain` as people and scripts use it. What the examples find is tested beside
//! them.

mod common;

use common::gordian;

#[test]
fn every_code_is_explained_in_80_columns() {
    let directory = tempfile::tempdir().unwrap();
    for code in gordian::Code::ALL {
        let output = gordian(directory.path(), &format!("explain {code}"));
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert!(
            text.contains(&format!("[{code}]\n")) && text.contains("What to do"),
            "{text}"
        );
        assert!(!text.contains('\u{1b}'), "{text}");
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
}

#[test]
fn without_a_code_all_are_listed() {
    let directory = tempfile::tempdir().unwrap();
    let output = gordian(directory.path(), "explain");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0));
    for code in gordian::Code::ALL {
        assert!(
            text.contains(&format!("\n{code} ")) || text.starts_with(code.as_str()),
            "{text}"
        );
    }
}

#[test]
fn an_unknown_code_is_answered_with_the_nearest() {
    let directory = tempfile::tempdir().unwrap();
    for (line, near) in [
        ("explain dedlock", "`deadlock`"),
        ("explain lost", "`lost-wakeup`"),
    ] {
        let output = gordian(directory.path(), line);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{stderr}");
        assert!(stderr.contains(near), "{stderr}");
        assert!(output.stdout.is_empty());
    }
}
