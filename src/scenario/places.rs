//! Lines and columns of a text.
//!
//! Knows where bytes are. Does not know what the text says.

use super::ast::Span;
use super::intern;
use crate::op::{Place, Site};

/// A text by its lines.
pub(super) struct Places<'a> {
    file: &'a str,
    source: &'a str,
    /// Where each line starts.
    lines: Vec<usize>,
}

impl<'a> Places<'a> {
    pub(super) fn new(file: &'a str, source: &'a str) -> Places<'a> {
        let ends = source
            .bytes()
            .enumerate()
            .filter(|(_, byte)| *byte == b'\n');
        Places {
            file,
            source,
            lines: std::iter::once(0)
                .chain(ends.map(|(at, _)| at + 1))
                .collect(),
        }
    }

    /// Line and column of a byte, counted from 1; columns are characters.
    fn place(&self, byte: u32) -> (u32, u32) {
        let byte = (byte as usize).min(self.source.len());
        let line = self.lines.partition_point(|start| *start <= byte) - 1;
        let before = self.source.get(self.lines[line]..byte).unwrap_or_default();
        (line as u32 + 1, before.chars().count() as u32 + 1)
    }

    /// The sites of these spans. Equal spans have equal sites, and sites live as long as the
    /// process: operations are told apart by them.
    pub(super) fn sites(&self, spans: &[Span]) -> Vec<Site> {
        let file = intern::text(self.file);
        let mut known: std::collections::BTreeMap<u32, &'static Place> = Default::default();
        let site = |span: &Span| {
            let place = known.entry(span.start).or_insert_with(|| {
                let (line, column) = self.place(span.start);
                intern::place(Place { file, line, column })
            });
            Site::Text(place)
        };
        spans.iter().map(site).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_one() {
        let places = Places::new("f", "ab\nä c\n\nx");
        let cases = [
            (0, (1, 1)),
            (1, (1, 2)),
            (3, (2, 1)),
            (5, (2, 2)),
            (8, (3, 1)),
            (9, (4, 1)),
            (10, (4, 2)),
            (99, (4, 2)),
        ];
        for (byte, place) in cases {
            assert_eq!(places.place(byte), place, "byte {byte}");
        }
    }

    #[test]
    fn statements_at_one_place_have_one_site() {
        let places = Places::new("f.gordian", "lock a\nlock b\n");
        let span = |start| Span {
            start,
            end: start + 6,
        };
        let sites = places.sites(&[span(0), span(7), span(0)]);
        assert_eq!(sites[0], sites[2]);
        assert_eq!(sites[1].to_string(), "f.gordian:2:1");
    }
}
