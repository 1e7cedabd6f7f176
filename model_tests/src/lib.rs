//! What the model tests share.

pub mod programs;
