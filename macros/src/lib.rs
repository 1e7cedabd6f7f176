//! The attribute `#[gordian::test]`.
use proc_macro::TokenStream;

/// Turns a function into a model.
#[proc_macro_attribute]
pub fn test(_args: TokenStream, item: TokenStream) -> TokenStream {
    item
}
