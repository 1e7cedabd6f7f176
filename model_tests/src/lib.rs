//! What the model tests share.

pub mod child;
pub mod programs;
