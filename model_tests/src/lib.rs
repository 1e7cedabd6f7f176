//! What the model tests share.
