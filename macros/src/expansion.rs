//! What the attribute turns a function into.
//!
//! Knows which functions can be models and the shape of the test that replaces one. Does not know
//! the arguments.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Error, Item, ItemFn, Result, ReturnType, Signature};

use crate::arguments::Arguments;

/// The test, or errors beside the function as it was: one mistake shall not hide the name from
/// the rest of the module.
pub(crate) fn expand(arguments: TokenStream, item: TokenStream) -> TokenStream {
    try_expand(arguments, item.clone()).unwrap_or_else(|error| {
        let error = error.to_compile_error();
        let rest = syn::parse2::<ItemFn>(item).map(without_tests);
        let rest = rest.map(ToTokens::into_token_stream).unwrap_or_default();
        quote!(#error #rest)
    })
}

/// The plain function, which nobody may call a test.
fn without_tests(mut function: ItemFn) -> ItemFn {
    function.attrs.retain(|attribute| {
        let path = attribute.path();
        !is_test(attribute) && !path.is_ident("ignore") && !path.is_ident("should_panic")
    });
    function.attrs.push(syn::parse_quote!(#[allow(dead_code)]));
    function
}

fn try_expand(arguments: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = match syn::parse2::<Item>(item)? {
        Item::Fn(function) => function,
        other => {
            return Err(Error::new_spanned(
                other,
                "`#[gordian::test]` stands on a function",
            ));
        }
    };
    let refused = refuse(&function.sig);
    let arguments = match (syn::parse2::<Arguments>(arguments), refused) {
        (Ok(arguments), None) => arguments,
        (Ok(_), Some(error)) | (Err(error), None) => return Err(error),
        (Err(mut error), Some(other)) => {
            error.combine(other);
            return Err(error);
        }
    };
    Ok(test(&arguments, &function))
}

fn test(arguments: &Arguments, function: &ItemFn) -> TokenStream {
    let ItemFn {
        attrs,
        vis,
        sig,
        block,
    } = function;
    let (name, output) = (&sig.ident, &sig.output);
    let test = (!attrs.iter().any(is_test)).then(|| quote!(#[::core::prelude::v1::test]));
    let (settings, expect) = (&arguments.settings, &arguments.expect);
    // A body that returns something else is reported where it says so.
    let body_span = match output {
        ReturnType::Default => name.span(),
        ReturnType::Type(_, kind) => kind.span(),
    };
    let body = quote_spanned!(body_span=> model);
    quote! {
        #(#attrs)*
        #test
        #vis fn #name() {
            fn model() #output #block
            ::gordian::private::run(
                ::core::concat!(
                    "gordian-model: ",
                    ::core::module_path!(),
                    "::",
                    ::core::stringify!(#name),
                    "\n"
                ),
                |checker| checker #(.#settings)*,
                &[#(#expect),*],
                #body,
            )
        }
    }
}

/// Whether an attribute makes a function a test already: `#[test]`, under whatever path.
fn is_test(attribute: &Attribute) -> bool {
    attribute
        .path()
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "test")
}

/// Why a function cannot be a model.
fn refuse(signature: &Signature) -> Option<Error> {
    let error = |tokens: &dyn ToTokens, message: &str| {
        let mut stream = TokenStream::new();
        tokens.to_tokens(&mut stream);
        Some(Error::new_spanned(stream, message))
    };
    if let Some(token) = &signature.asyncness {
        return error(token, "a model is not async: start tasks inside its body");
    }
    if let Some(token) = &signature.constness {
        return error(token, "a model is not const: it runs once per interleaving");
    }
    if let Some(token) = &signature.unsafety {
        return error(
            token,
            "a model is not unsafe: put the unsafe block into its body",
        );
    }
    if let Some(token) = &signature.abi {
        return error(token, "a model has Rust's own calling convention");
    }
    if !signature.inputs.is_empty() {
        let message = "a model takes no arguments: use `gordian::choose` or `gordian::any` \
                       for what the environment decides";
        return error(&signature.inputs, message);
    }
    if !signature.generics.params.is_empty() {
        let message = "a model is not generic: call a generic function from one model per type";
        return error(&signature.generics, message);
    }
    signature.generics.where_clause.as_ref().and_then(|clause| {
        error(
            clause,
            "a model is not generic: call a generic function from one model per type",
        )
    })
}
