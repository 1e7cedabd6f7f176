//! The autotrader's protocol core.
