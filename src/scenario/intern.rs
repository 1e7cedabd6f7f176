//! Texts and places that live as long as the process.
//!
//! Knows which there are already: operations name their places and slow calls by `'static`
//! references, and a process may check millions of scenarios. So memory grows with the distinct
//! places and texts of all of them, not with the number of checks. Does not know what any of them
//! is for.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use crate::op::Place;

static TEXTS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
static PLACES: Mutex<BTreeSet<&'static Place>> = Mutex::new(BTreeSet::new());

/// The text, for ever.
pub(super) fn text(text: &str) -> &'static str {
    let mut known = TEXTS.lock();
    if let Some(found) = known.get(text) {
        return found;
    }
    let kept: &'static str = Box::leak(text.to_owned().into_boxed_str());
    known.insert(kept);
    kept
}

/// The place, for ever. Equal places are the same one.
pub(super) fn place(place: Place) -> &'static Place {
    let mut known = PLACES.lock();
    if let Some(found) = known.get(&place) {
        return found;
    }
    let kept: &'static Place = Box::leak(Box::new(place));
    known.insert(kept);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_equal_is_kept_once() {
        let one = text("a slow call");
        assert!(std::ptr::eq(one, text(&String::from("a slow call"))));
        assert!(!std::ptr::eq(one, text("another")));

        let at = |line, column| {
            place(Place {
                file: text("f.gordian"),
                line,
                column,
            })
        };
        assert!(std::ptr::eq(at(1, 2), at(1, 2)));
        for other in [at(1, 3), at(2, 2)] {
            assert!(!std::ptr::eq(at(1, 2), other));
        }
    }
}
