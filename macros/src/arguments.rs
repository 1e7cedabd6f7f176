//! The arguments of the attribute: `key = value`, comma-separated.
//!
//! Knows which keys there are and what type each value has; every error stands at the token that
//! is wrong. Does not know the function below.

use std::time::Duration;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, ExprLit, ExprUnary, Lit, LitStr, Result, Token, UnOp};

use crate::vocabulary::{CODES, ENGINES, KEYS, LEFTOVERS, STRATEGIES, VACUOUS, Word, unknown};

/// What the arguments come to.
#[derive(Default)]
pub(crate) struct Arguments {
    /// Calls of `gordian::Checker`'s builder methods, in the order of the arguments.
    pub(crate) settings: Vec<TokenStream>,
    /// Paths of the expected `gordian::Code`s.
    pub(crate) expect: Vec<TokenStream>,
}

/// One `key = value`.
struct Argument {
    key: Ident,
    value: Expr,
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let key = input
            .call(Ident::parse_any)
            .map_err(|error| Error::new(error.span(), "an argument is written `key = value`"))?;
        let name = key.to_string();
        if !KEYS.contains(&name.as_str()) {
            let message = unknown("argument", &name, KEYS.iter().copied());
            return Err(Error::new(key.span(), message));
        }
        if !input.peek(Token![=]) {
            return Err(Error::new(
                key.span(),
                format!("`{name}` needs a value: {}", example(&name)),
            ));
        }
        input.parse::<Token![=]>()?;
        Ok(Argument {
            key,
            value: input.parse()?,
        })
    }
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let list = Punctuated::<Argument, Token![,]>::parse_terminated(input)?;
        let mut arguments = Arguments::default();
        let mut seen: Vec<String> = Vec::new();
        let mut errors: Option<Error> = None;
        for argument in list {
            let name = argument.key.to_string();
            let result = if seen.contains(&name) {
                Err(Error::new(
                    argument.key.span(),
                    format!("`{name}` is given twice"),
                ))
            } else {
                arguments.add(&name, &argument.value)
            };
            seen.push(name);
            // All errors at once: nobody likes to meet them one by one.
            match (result, &mut errors) {
                (Ok(()), _) => {}
                (Err(error), Some(errors)) => errors.combine(error),
                (Err(error), none) => *none = Some(error),
            }
        }
        errors.map_or(Ok(arguments), Err)
    }
}

impl Arguments {
    fn add(&mut self, name: &str, value: &Expr) -> Result<()> {
        let setting = match name {
            "engine" => {
                let engine = one_word(name, "engine", value, ENGINES)?;
                quote!(engine(::gordian::report::Engine::#engine))
            }
            "strategy" => {
                let strategy = one_word(name, "strategy", value, STRATEGIES)?;
                quote!(strategy(::gordian::Strategy::#strategy))
            }
            "preemptions_max" => {
                let number = integer(name, value, u64::from(u32::MAX))? as u32;
                quote!(preemptions_max(#number))
            }
            "steps_max" => {
                let number = positive(name, value, u64::from(u32::MAX))? as u32;
                quote!(steps_max(#number))
            }
            "spins_max" => {
                let number = integer(name, value, u64::from(u32::MAX))? as u32;
                quote!(spins_max(#number))
            }
            "reruns" => {
                let number = integer(name, value, u64::from(u32::MAX))? as u32;
                quote!(reruns(#number))
            }
            "executions_max" => {
                let number = positive(name, value, u64::MAX)?;
                quote!(executions_max(#number))
            }
            "time_max" | "stall_max" => {
                let method = Ident::new(name, Span::call_site());
                let time = duration(name, value)?;
                let (seconds, nanoseconds) = (time.as_secs(), time.subsec_nanos());
                quote!(#method(::core::time::Duration::new(#seconds, #nanoseconds)))
            }
            "leftover" => {
                let leftover = one_word(name, "way to end leftover threads", value, LEFTOVERS)?;
                quote!(leftover(::gordian::Leftover::#leftover))
            }
            "vacuous" => {
                let vacuous = one_word(name, "judgement of a vacuous model", value, VACUOUS)?;
                quote!(vacuous(::gordian::Vacuous::#vacuous))
            }
            "seed" => {
                let number = integer(name, value, u64::MAX)?;
                quote!(seed(#number))
            }
            _ => {
                self.expect = codes(name, value)?;
                return Ok(());
            }
        };
        self.settings.push(setting);
        Ok(())
    }
}

/// How an argument is written.
fn example(name: &str) -> &'static str {
    match name {
        "engine" => "engine = \"loom\"",
        "strategy" => "strategy = \"pct\"",
        "preemptions_max" => "preemptions_max = 2",
        "steps_max" => "steps_max = 10_000",
        "spins_max" => "spins_max = 3",
        "executions_max" => "executions_max = 100_000",
        "time_max" => "time_max = 2.5, time_max = \"2s\" or time_max = \"500ms\"",
        "stall_max" => "stall_max = 30, stall_max = \"30s\" or stall_max = \"500ms\"",
        "reruns" => "reruns = 14",
        "seed" => "seed = 42",
        "leftover" => "leftover = \"abandon\"",
        "vacuous" => "vacuous = \"allow\"",
        _ => "expect = \"deadlock\" or expect = \"deadlock, panic\"",
    }
}

fn wrong(name: &str, value: &Expr, what: &str) -> Error {
    Error::new_spanned(value, format!("`{name}` takes {what}: {}", example(name)))
}

fn literal(value: &Expr) -> Option<&Lit> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => Some(lit),
        Expr::Group(group) => literal(&group.expr),
        _ => None,
    }
}

fn string<'a>(name: &str, value: &'a Expr) -> Result<&'a LitStr> {
    match literal(value) {
        Some(Lit::Str(text)) => Ok(text),
        _ => Err(wrong(name, value, "a string")),
    }
}

/// The variant that a word stands for.
fn variant(kind: &str, word: &str, span: Span, words: &[Word]) -> Result<Ident> {
    match words.iter().find(|(known, _)| *known == word) {
        Some((_, variant)) => Ok(Ident::new(variant, Span::call_site())),
        None => {
            let known = words.iter().map(|(known, _)| *known);
            Err(Error::new(span, unknown(kind, word, known)))
        }
    }
}

fn one_word(name: &str, kind: &str, value: &Expr, words: &[Word]) -> Result<Ident> {
    let text = string(name, value)?;
    variant(kind, text.value().trim(), text.span(), words)
}

fn codes(name: &str, value: &Expr) -> Result<Vec<TokenStream>> {
    let text = string(name, value)?;
    let list = text.value();
    list.split(',')
        .map(|word| {
            let code = variant("finding code", word.trim(), text.span(), CODES)?;
            Ok(quote!(::gordian::Code::#code))
        })
        .collect()
}

fn integer(name: &str, value: &Expr, max: u64) -> Result<u64> {
    let Some(Lit::Int(number)) = literal(value) else {
        let negative = matches!(
            value,
            Expr::Unary(ExprUnary {
                op: UnOp::Neg(_),
                ..
            })
        );
        let what = if negative {
            "a number from 0 upwards"
        } else {
            "an integer"
        };
        return Err(wrong(name, value, what));
    };
    let parsed = number
        .base10_parse::<u64>()
        .ok()
        .filter(|parsed| *parsed <= max);
    parsed.ok_or_else(|| wrong(name, value, &format!("an integer of at most {max}")))
}

/// A bound of 0 would forbid every search.
fn positive(name: &str, value: &Expr, max: u64) -> Result<u64> {
    match integer(name, value, max)? {
        0 => Err(wrong(name, value, "a number from 1 upwards")),
        number => Ok(number),
    }
}

fn duration(name: &str, value: &Expr) -> Result<Duration> {
    let text = match literal(value) {
        Some(Lit::Int(number)) => number.base10_digits().to_owned(),
        Some(Lit::Float(number)) => number.base10_digits().to_owned(),
        Some(Lit::Str(text)) => text.value(),
        _ => return Err(wrong(name, value, "seconds")),
    };
    parse_duration(text.trim()).ok_or_else(|| wrong(name, value, "a time above 0"))
}

/// `2`, `2.5`, `2s`, `500ms`, `3min`.
fn parse_duration(text: &str) -> Option<Duration> {
    let units = [("ms", 0.001), ("min", 60.0), ("s", 1.0)];
    let (number, unit) = units
        .into_iter()
        .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?.trim_end(), unit)))
        .unwrap_or((text, 1.0));
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let seconds = number.parse::<f64>().ok()? * unit;
    Duration::try_from_secs_f64(seconds)
        .ok()
        .filter(|time| !time.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_seconds_or_have_a_unit() {
        let cases = [
            ("2", Some(2_000)),
            ("2.5", Some(2_500)),
            ("2s", Some(2_000)),
            ("500ms", Some(500)),
            ("1.5 min", Some(90_000)),
            ("0", None),
            ("-1", None),
            ("inf", None),
            ("2h", None),
            ("", None),
            ("ms", None),
        ];
        for (text, millis) in cases {
            assert_eq!(
                parse_duration(text),
                millis.map(Duration::from_millis),
                "{text}"
            );
        }
    }
}
