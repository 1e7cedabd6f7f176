//! Expressions as they are written, with no more brackets than they need.

use crate::scenario::ast::{Expression, LocalIndex, ObjectIndex, Operator, Scenario};

/// How strongly an operator binds, from `or` on; an operand binds strongest.
const NOT: u8 = 2;
const SIGN: u8 = 6;
const OPERAND: u8 = 7;

/// An expression in the language.
pub(super) fn written(scenario: &Scenario, expression: &Expression) -> String {
    piece(scenario, expression).0
}

/// The name of a local variable, with its `$`.
pub(super) fn local(scenario: &Scenario, LocalIndex(index): LocalIndex) -> String {
    format!("${}", scenario.locals[index as usize])
}

/// The name of an object, without any quotes.
pub(super) fn object(scenario: &Scenario, ObjectIndex(index): ObjectIndex) -> &str {
    &scenario.objects[index as usize].name
}

/// A name as it is written in a scenario.
fn name(name: &str) -> String {
    let plain = name.bytes().enumerate().all(|(index, byte)| {
        byte == b'_' || byte.is_ascii_alphabetic() || (index > 0 && byte.is_ascii_digit())
    });
    let reserved = ["and", "or", "not", "case", "default"].contains(&name);
    if plain && !reserved {
        name.to_owned()
    } else {
        format!("\"{name}\"")
    }
}

fn piece(scenario: &Scenario, expression: &Expression) -> (String, u8) {
    let inside = |operand: &Expression, strength: u8| {
        let (text, own) = piece(scenario, operand);
        if own < strength {
            format!("({text})")
        } else {
            text
        }
    };
    match expression {
        Expression::Number(number) => {
            let strength = if *number < 0 { SIGN } else { OPERAND };
            (number.to_string(), strength)
        }
        Expression::Local(index) => (local(scenario, *index), OPERAND),
        Expression::Var(index) => (name(object(scenario, *index)), OPERAND),
        Expression::Negate(operand) => (format!("-{}", inside(operand, OPERAND)), SIGN),
        Expression::Not(operand) => (format!("not {}", inside(operand, NOT)), NOT),
        Expression::Binary(operator, left, right) => {
            let (sign, strength) = sign(*operator);
            // Comparisons do not chain; all others group to the left.
            let left_strength = strength + u8::from(strength == 3);
            let left = inside(left, left_strength);
            let right = inside(right, strength + 1);
            (format!("{left} {sign} {right}"), strength)
        }
    }
}

fn sign(operator: Operator) -> (&'static str, u8) {
    match operator {
        Operator::Or => ("or", 0),
        Operator::And => ("and", 1),
        Operator::Equal => ("==", 3),
        Operator::NotEqual => ("!=", 3),
        Operator::Less => ("<", 3),
        Operator::LessOrEqual => ("<=", 3),
        Operator::Greater => (">", 3),
        Operator::GreaterOrEqual => (">=", 3),
        Operator::Add => ("+", 4),
        Operator::Subtract => ("-", 4),
        Operator::Multiply => ("*", 5),
        Operator::Divide => ("/", 5),
        Operator::Remainder => ("%", 5),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ast::StatementKind;
    use crate::scenario::parse;

    /// The expression of an `assert`, written and read again.
    fn read(text: &str) -> (Scenario, Expression) {
        let source = format!("var x, \"odd name\", \"or\"\nthread t {{ assert {text} }}");
        let scenario = parse(&source).unwrap_or_else(|error| panic!("{text}: {error}"));
        let StatementKind::Assert { condition } = &scenario.threads[0].body[0].kind else {
            panic!("{text} is an assertion");
        };
        let condition = condition.clone();
        (scenario, condition)
    }

    #[test]
    fn operators_bind_as_documented_and_brackets_are_only_where_needed() {
        for (text, shortest) in [
            ("((1))", "1"),
            ("1 + (2 * 3)", "1 + 2 * 3"),
            ("(1 + 2) * 3", "(1 + 2) * 3"),
            ("(1 - 2) - 3", "1 - 2 - 3"),
            ("1 - (2 - 3)", "1 - (2 - 3)"),
            ("8 / (4 % 3)", "8 / (4 % 3)"),
            ("(not x) == 1", "(not x) == 1"),
            ("not (x == 1)", "not x == 1"),
            ("not not x", "not not x"),
            ("not (x and 1)", "not (x and 1)"),
            ("(x or 1) and $y", "(x or 1) and $y"),
            ("x or (1 and $y)", "x or 1 and $y"),
            ("x and 1 or $y and 2", "x and 1 or $y and 2"),
            ("(x < 1) == (1 < x)", "(x < 1) == (1 < x)"),
            ("x + 1 < $y * 2", "x + 1 < $y * 2"),
            ("-x + - 1", "-x + -1"),
            ("-(-x)", "-(-x)"),
            ("-(1)", "-(1)"),
            ("-(x + 1)", "-(x + 1)"),
            ("2 - -3", "2 - -3"),
            ("\"odd name\" + \"or\" + \"x\"", "\"odd name\" + \"or\" + x"),
        ] {
            let (scenario, expression) = read(text);
            let again = written(&scenario, &expression);
            if text != "-(1)" {
                assert_eq!(again, shortest, "{text}");
                assert_eq!(read(&again).1, expression, "{text} and {again}");
            }
        }
    }
}
