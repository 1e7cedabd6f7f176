//! Scenario files as text: what is read, what is refused, and how they are laid out.
#![cfg(feature = "scenario")]

use std::fs;
use std::path::{Path, PathBuf};

use gordian::scenario::{Scenario, explain, format, parse};
use proptest::prelude::*;
use serde_json::Value;

/// The scenario files of the repository, in the order of their names.
fn files(directory: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let mut paths: Vec<PathBuf> = fs::read_dir(root.join(directory))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|it| it == "gordian"))
        .collect();
    paths.sort();
    let read = |path: PathBuf| {
        let text = fs::read_to_string(&path).unwrap();
        (path, text)
    };
    paths.into_iter().map(read).collect()
}

/// A scenario without the places where it is written.
fn meaning(scenario: &Scenario) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("span");
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(scenario).unwrap();
    strip(&mut value);
    value
}

/// Formatting changes no meaning, and nothing the second time.
fn check_format(source: &str) {
    let before = parse(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    let tidy = format(source).unwrap();
    let after = parse(&tidy).unwrap_or_else(|error| panic!("{error}\n{tidy}"));
    assert_eq!(meaning(&before), meaning(&after), "{source}\n{tidy}");
    assert_eq!(format(&tidy).as_deref(), Ok(tidy.as_str()), "{source}");
    let comments = |text: &str| text.lines().filter(|line| line.contains('#')).count();
    assert_eq!(comments(source), comments(&tidy), "{source}\n{tidy}");
}

#[test]
fn every_kernel_is_read() {
    let kernels = files("kernels");
    assert_eq!(kernels.len(), 373);
    for (path, source) in kernels {
        let scenario = parse(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(scenario.expect.is_some(), "{}", path.display());
        assert!(!scenario.threads.is_empty(), "{}", path.display());
        check_format(&source);
    }
}

const EVERYTHING: &str = include_str!("fixtures/every_statement.gordian");

/// Prose fits 80 columns, speaks of everything, and every step has a sentence.
fn check_prose(source: &str) {
    let scenario = parse(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
    let text = explain(&scenario);
    let objects = scenario.objects.iter().map(|object| &object.name);
    let threads = scenario.threads.iter().map(|thread| &thread.name);
    for name in objects.chain(threads) {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(words.contains(&format!("`{name}`")), "{name} in:\n{text}");
    }
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
        assert!(!line.ends_with(' '), "{line:?}");
        let step = line
            .trim_start()
            .split_once(". ")
            .filter(|(number, _)| number.parse::<u32>().is_ok());
        assert!(
            step.is_none_or(|(_, sentence)| sentence.len() > 3),
            "{text}"
        );
        assert!(!line.trim_end().ends_with(". ."), "{text}");
    }
}

#[test]
fn every_construct_is_read_laid_out_and_explained() {
    check_format(EVERYTHING);
    check_prose(EVERYTHING);
}

#[test]
fn comments_stay_where_they_belong() {
    for (source, tidy) in [
        // At the end of a case, of the cases, and of a block.
        (
            "thread t{choose{case:\n                  # of an empty case\n  case:\n   nop\n   # of the case\n  \
             # of the next\n  case:\n    nop\n  # of all\n}\nloop{\nbreak\n# of the loop\n}}",
            "thread t {\n    choose {\n        case:\n            # of an empty case\n        case:\n            \
             nop\n            # of the case\n        # of the next\n        case:\n            \
             nop\n        # of all\n    }\n    loop {\n        break\n        # of the loop\n    \
             }\n}\n",
        ),
        // Behind a line, and in the midst of one.
        (
            "# first\n\n\n\nthread t { # head\n\n  await ( # why\n   1) # last\n\n\n}  # end\n\n# after",
            "# first\n\nthread t {  # head\n    # why\n    await (1)  # last\n}  # end\n\n# after\n",
        ),
        // Blank lines: one between, none at the ends of blocks.
        (
            "\n\nmutex a;;\n;\n\nmutex b\n\nthread t\n{\n\nnop\n\n\nnop\n\n}\n\n\n",
            "mutex a\n\nmutex b\n\nthread t {\n    nop\n\n    nop\n}\n",
        ),
        (
            "\u{feff}mutex m\r\nthread t { # x\r\n}\r\n",
            "mutex m\nthread t {  # x\n}\n",
        ),
        ("thread t{}", "thread t {}\n"),
        (
            "thread t{repeat 2{}}# x",
            "thread t {\n    repeat 2 {}\n}  # x\n",
        ),
    ] {
        let formatted = format(source).unwrap_or_else(|error| panic!("{error}\n{source}"));
        assert_eq!(formatted, tidy, "{source}");
        check_format(source);
    }
}

#[test]
fn every_kernel_is_explained() {
    for (_, source) in files("kernels") {
        check_prose(&source);
    }
}

#[test]
fn the_scenarios_of_this_project_are_laid_out() {
    for directory in ["autotrader", "seeds"] {
        let files = files(directory);
        assert!(files.len() > 5, "{directory}");
        for (path, source) in files {
            let tidy =
                format(&source).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            assert_eq!(tidy, source, "{}", path.display());
            check_format(&source);
            check_prose(&source);
        }
    }
}

#[test]
fn prose_reads_well() {
    let scenario = parse(EVERYTHING).unwrap();
    expect_test::expect_file!["fixtures/every_statement.txt"].assert_eq(&explain(&scenario));
    expect_test::expect_file!["fixtures/every_statement.tidy.gordian"]
        .assert_eq(&format(EVERYTHING).unwrap());
}

/// The blocks of the tour in `scenarios/README.md`.
#[test]
fn the_tour_is_a_scenario() {
    let readme = include_str!("../scenarios/README.md");
    let block = readme.split("```gordian\n").nth(1).unwrap();
    let source = block.split("```").next().unwrap();
    check_format(source);
    check_prose(source);
    assert_eq!(parse(source).unwrap().threads.len(), 2);
}

/// What a file with this body of a thread means, without places: the first statement.
fn first_statement(statement: &str) -> Value {
    let objects = "mutex m; rwlock r; semaphore q = 0 fifo; channel ch; condvar c; var x, y; \
                   waitgroup w; thread crew * 2 {} deferred thread later * 2 {}";
    let source = format!("{objects}\nthread t {{ {statement} }}");
    let scenario = parse(&source).unwrap_or_else(|error| panic!("{statement}: {error}"));
    let thread = scenario.threads.last().unwrap();
    meaning(&scenario)["threads"][scenario.threads.len() - 1]["body"][thread.body.len() - 1]["kind"]
        .clone()
}

/// What is written in two ways means the same.
#[test]
fn abbreviations_and_layouts_mean_the_same() {
    for (one, other) in [
        ("x += 1", "x = x + 1"),
        ("$a -= 2", "$a = $a - 2"),
        ("send ch", "send ch 0"),
        ("send ch $a", "send ch ($a)"),
        ("send ch $a $b", "send ch ($a) $b"),
        ("send ch x - 1", "send ch (x - 1)"),
        ("cas x 0 -1 $ok", "cas x (0) (-1) $ok"),
        ("cas x $a - 1 2 $ok", "cas x ($a - 1) 2 $ok"),
        ("cas x $a-1 2 $ok", "cas x ($a - 1) 2 $ok"),
        ("cas x 0 x == 1 $ok", "cas x 0 (x == 1) $ok"),
        ("fetch_add x y * 2 $o", "fetch_add x (y * 2) $o"),
        (
            "ticket q a; await_ticket q a",
            "ticket q a 1; await_ticket q a 1",
        ),
        (
            "ticket q a 3; await_ticket q a",
            "ticket q a 3; await_ticket q a 3",
        ),
        (
            "ticket q a 3; drop_ticket q a",
            "ticket q a 3; drop_ticket q a 3",
        ),
        ("wg_add w", "wg_add w 1"),
        ("join crew.2", "join \"crew.2\""),
        ("spawn later", "spawn\tlater"),
        ("nop", "yield"),
        ("loop { break }", "loop\n{\nbreak\n}"),
        (
            "if x { nop } else if y { nop }",
            "if x { nop }\nelse { if y { nop } }",
        ),
        ("if x { } else { }", "if x\n{\n}\n\nelse\n{\n}"),
        ("await x == 1 and y == 2", "await x == 1 and\n y == 2"),
        ("await x + y < 3 or not x", "await ((x + y) < 3) or (not x)"),
        ("await not x == 1", "await not (x == 1)"),
        ("await -x + 1 == 0", "await ((-x) + 1) == 0"),
        (
            "await 1 - 2 - 3 == 8 / 4 / 2",
            "await (1 - 2) - 3 == (8 / 4) / 2",
        ),
        (
            "choose { case: nop case: return }",
            "choose {\ncase:\nnop\ncase:\nreturn\n}",
        ),
        (
            "select { case recv ch: nop default: }",
            "select {\ncase recv ch:\nnop;\ndefault:\n}",
        ),
        ("with m { nop } nop", "with m { nop }; nop"),
        ("await (\n x\n)", "await x"),
    ] {
        assert_eq!(
            first_statement(one),
            first_statement(other),
            "{one} and {other}"
        );
    }
}

/// What looks alike and does not mean the same.
#[test]
fn near_misses_differ() {
    for (one, other) in [
        ("cas x 0 -1 $ok", "cas x 0 1 $ok"),
        ("send ch $a", "send ch 0 $a"),
        ("recv ch $a", "recv ch $b $a"),
        ("await x - 1", "await x + -1"),
        ("join crew", "join crew.1"),
        ("unlock m", "unlock r"),
        ("await not x == 1", "await (not x) == 1"),
        ("acquire q", "acquire q 2"),
    ] {
        assert_ne!(
            first_statement(one),
            first_statement(other),
            "{one} and {other}"
        );
    }
}

#[test]
fn names_may_be_words_of_the_language() {
    let source = "
        mutex lock, \"thread\", mutex
        var wait, not_it, proc
        deferred thread thread { lock lock; unlock lock }
        thread \"a thread\" {
            lock \"thread\"
            wait = proc + wait
            proc += 1
            if wait { lock mutex; unlock mutex }
            unlock \"thread\"
            spawn thread
            join thread
        }";
    let scenario = parse(source).unwrap();
    let names: Vec<&str> = scenario
        .threads
        .iter()
        .map(|thread| thread.name.as_str())
        .collect();
    assert_eq!(names, ["thread", "a thread"]);
    check_format(source);
}

#[test]
fn every_span_is_where_the_thing_stands() {
    let source = "mutex m, \"a b\"\nthread t {\n    with m { lock \"a b\"; $r = 1 + 2 }\n    choose {\n        case: nop\n    }\n}";
    let scenario = parse(source).unwrap();
    let at = |span: gordian::scenario::ast::Span| &source[span.start as usize..span.end as usize];
    let objects: Vec<&str> = scenario
        .objects
        .iter()
        .map(|object| at(object.span))
        .collect();
    assert_eq!(objects, ["m", "\"a b\""]);
    let body = &scenario.threads[0].body;
    assert_eq!(
        (
            at(scenario.threads[0].span),
            at(body[0].span),
            at(body[1].span)
        ),
        ("t", "with m", "choose")
    );
    let inner = body[0].kind.blocks()[0];
    assert_eq!(
        (at(inner[0].span), at(inner[1].span)),
        ("lock \"a b\"", "$r = 1 + 2")
    );
}

/// What a person's editor may do to a line.
#[derive(Clone, Debug)]
struct Mangling {
    indent: usize,
    tab: bool,
    semicolons: usize,
    blank_lines: usize,
    comment: Option<bool>,
    crlf: bool,
}

fn mangling() -> impl Strategy<Value = Mangling> {
    let comment = proptest::option::weighted(0.2, any::<bool>());
    (
        0..9_usize,
        any::<bool>(),
        0..3_usize,
        0..4_usize,
        comment,
        any::<bool>(),
    )
        .prop_map(
            |(indent, tab, semicolons, blank_lines, comment, crlf)| Mangling {
                indent,
                tab,
                semicolons,
                blank_lines,
                comment,
                crlf,
            },
        )
}

/// A text with its lines mangled; comments and blank lines only where asked for.
fn mangled(source: &str, manglings: &[Mangling], with_comments: bool) -> String {
    let mut text = String::new();
    for (line, mangling) in source.lines().zip(manglings.iter().cycle()) {
        let end = if mangling.crlf { "\r\n" } else { "\n" };
        text += &" ".repeat(mangling.indent);
        text += if mangling.tab { "\t" } else { "" };
        text += line.trim();
        let code = !line.trim().is_empty() && !line.contains('#');
        let ends = code && !line.trim_end().ends_with(['{', ':', '}']);
        text += &";".repeat(if ends { mangling.semicolons } else { 0 });
        if with_comments {
            match mangling.comment.filter(|_| code) {
                Some(true) => text += " # behind",
                Some(false) => text += &format!("{end}# below"),
                None => {}
            }
            text += &end.repeat(mangling.blank_lines);
        }
        text += end;
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn one_layout_comes_of_all(
        file in prop::sample::select(files("kernels")),
        manglings in prop::collection::vec(mangling(), 1..20),
    ) {
        let (_, source) = file;
        let mangle = mangled(&source, &manglings, false);
        prop_assert_eq!(format(&mangle), format(&source));
        check_format(&mangled(&source, &manglings, true));
        check_format(&mangled(EVERYTHING, &manglings, true));
    }
}
