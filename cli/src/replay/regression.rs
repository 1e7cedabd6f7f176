//! A finding as a test that fails as long as it is there.
//!
//! Knows how a test is written down in Rust. Does not know how the finding was made.

use gordian::report::Finding;

use crate::report::plain;

/// Columns of a line of Rust at most.
const COLUMNS_MAX: usize = 100;

/// A test that replays a finding's interleaving, and passes when it does not lead there any more:
/// also when the model has changed so much that the token does not fit. It calls a function with
/// the model's body, which nobody can write but the author: a test cannot call another test.
pub(super) fn regression_test(model: &str, finding: &Finding) -> String {
    let name = model.rsplit("::").next().unwrap_or(model);
    let name = name.trim_start_matches("r#");
    let code = finding.code.as_str().replace('-', "_");
    let variant = format!("{:?}", finding.code);
    let short: String = finding.fingerprint.chars().take(4).collect();
    let message = plain(finding.message.lines().next().unwrap_or_default());
    let head = format!("{}: {message}.", finding.code);
    let advice = format!(
        "Move the body of `{name}` into `fn {name}_model()`, and call that from `{name}` as well."
    );
    let comment: String = [comment(&head), "///\n".to_owned(), comment(&advice)].concat();
    format!(
        "{comment}\
         #[test]\n\
         fn {name}_without_{code}_{short}() {{\n\
         \x20   let token = concat!(\n{}    );\n\
         \x20   let token = token.parse().expect(\"the token is of this version of gordian\");\n\
         \x20   let report = gordian::Checker::new()\n\
         \x20       .name({model:?})\n\
         \x20       .replay(token)\n\
         \x20       .check({name}_model);\n\
         \x20   assert!(!report.has(gordian::Code::{variant}), \"{{report}}\");\n\
         }}\n",
        pieces(&finding.token),
    )
}

/// A documentation comment.
fn comment(text: &str) -> String {
    let mut lines = vec!["///".to_owned()];
    for word in text.split_whitespace() {
        let last = lines.last_mut().expect("there is a first line");
        if last != "///" && last.chars().count() + 1 + word.chars().count() > COLUMNS_MAX {
            lines.push(format!("/// {word}"));
        } else {
            *last += &format!(" {word}");
        }
    }
    lines.join("\n") + "\n"
}

/// A long text as arguments of `concat!`.
fn pieces(token: &str) -> String {
    const INDENT: usize = 8;
    // Two quotes and a comma; a token is ASCII.
    let chars: Vec<char> = token.chars().collect();
    let pieces = chars.chunks(COLUMNS_MAX - INDENT - 3);
    pieces
        .map(|piece| format!("{:INDENT$}{:?},\n", "", piece.iter().collect::<String>()))
        .collect()
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;

    fn finding(token: &str) -> Finding {
        let finding = json!({
            "code": "self-deadlock", "severity": "error", "message": "`a` waits\nfor itself",
            "threads": [], "objects": [], "edges": [], "site": null, "notes": [], "steps": [],
            "fingerprint": "4f2a000000000000", "token": token, "execution": 1, "seen": 1,
        });
        serde_json::from_value(finding).unwrap()
    }

    #[test]
    fn a_test_is_written() {
        expect![[r#"
            /// self-deadlock: `a` waits.
            ///
            /// Move the body of `both` into `fn both_model()`, and call that from `both` as well.
            #[test]
            fn both_without_self_deadlock_4f2a() {
                let token = concat!(
                    "g2:0:lock+a:0.0",
                );
                let token = token.parse().expect("the token is of this version of gordian");
                let report = gordian::Checker::new()
                    .name("tests::both")
                    .replay(token)
                    .check(both_model);
                assert!(!report.has(gordian::Code::SelfDeadlock), "{report}");
            }
        "#]]
        .assert_eq(&regression_test("tests::both", &finding("g2:0:lock+a:0.0")));
    }

    #[test]
    fn long_tokens_stay_whole_and_lines_short() {
        let token: String = (0..1_000)
            .map(|digit| char::from(b'0' + (digit % 10) as u8))
            .collect();
        let text = regression_test("both", &finding(&token));
        assert!(text.lines().all(|line| line.len() <= COLUMNS_MAX), "{text}");
        let quoted = text.lines().filter(|line| line.starts_with("        \""));
        let joined: String = quoted
            .map(|line| line.trim().trim_matches(['"', ',']))
            .collect();
        assert_eq!(joined, token);
    }
}
