//! The reports of a run, as files: for people, for CI systems, for trace viewers.
//!
//! Knows which formats there are. One model of a run feeds all of them ([`events::Results`], as it stands
//! in `events.jsonl`); no format knows another one, where its file goes, or how anything was
//! found.

mod again;
mod chrome;
mod dot;
mod events;
mod files;
mod graph;
mod holds;
mod html;
mod junit;
mod mermaid;
mod sarif;
mod text;

#[cfg(test)]
mod tests;

pub(crate) use again::again;
pub(crate) use events::{Entry, Results};
pub(crate) use files::{Format, Kept, documents, keep};
pub(crate) use text::plain;
