//! Any text is a replay token or is refused; a token that is printed is read again as the same.
#![no_main]

use gordian::ReplayToken;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(token) = text.parse::<ReplayToken>() {
        let printed = token.to_string();
        let again = printed
            .parse::<ReplayToken>()
            .expect("what is printed can be read");
        assert_eq!(
            again, token,
            "{text} is printed as {printed}, which means something else"
        );
    }
});
