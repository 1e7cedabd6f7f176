//! Any text is a replay token or is refused.

use gordian::ReplayToken;

use crate::Seen;

/// A token that is printed is read again as the same.
///
/// # Panics
/// When it is not.
pub fn token_roundtrip(bytes: &[u8]) -> Seen {
    let text = str::from_utf8(bytes).ok();
    let Some(Ok(token)) = text.map(str::parse::<ReplayToken>) else {
        return Seen::Refused;
    };
    let printed = token.to_string();
    let again = printed.parse::<ReplayToken>();
    assert_eq!(
        again.as_ref(),
        Ok(&token),
        "it is printed as {printed}, which means something else"
    );
    Seen::All
}
