//! The attribute's words are gordian's own: the two lists stand in crates that cannot share them.

#[path = "../src/vocabulary.rs"]
mod vocabulary;

use gordian::report::Engine;
use gordian::{Code, Leftover, Strategy, Vacuous};
use vocabulary::{CODES, ENGINES, LEFTOVERS, STRATEGIES, VACUOUS, Word};

/// Each word is what the library prints, and each variant is what it is called in Rust.
fn assert_same(words: &[Word], own: impl IntoIterator<Item = (String, String)>) {
    let words: Vec<_> = words
        .iter()
        .map(|(word, variant)| ((*word).to_owned(), (*variant).to_owned()))
        .collect();
    assert_eq!(words, own.into_iter().collect::<Vec<_>>());
}

#[test]
fn codes_are_the_librarys() {
    assert_same(
        CODES,
        Code::ALL
            .iter()
            .map(|code| (code.to_string(), format!("{code:?}"))),
    );
}

#[test]
fn strategies_are_the_librarys() {
    let own = Strategy::ALL.iter().map(|(strategy, _)| strategy);
    assert_same(
        STRATEGIES,
        own.map(|strategy| (strategy.to_string(), format!("{strategy:?}"))),
    );
}

#[test]
fn leftovers_are_the_librarys() {
    let own = Leftover::ALL.iter();
    assert_same(
        LEFTOVERS,
        own.map(|(leftover, name)| ((*name).to_owned(), format!("{leftover:?}"))),
    );
}

#[test]
fn judgements_are_the_librarys() {
    let own = Vacuous::ALL.iter();
    assert_same(
        VACUOUS,
        own.map(|(vacuous, name)| ((*name).to_owned(), format!("{vacuous:?}"))),
    );
}

#[test]
fn engines_are_the_librarys() {
    for (word, variant) in ENGINES {
        assert_eq!(format!("{:?}", word.parse::<Engine>().unwrap()), *variant);
    }
}
