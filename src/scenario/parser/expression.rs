//! Expressions.
//!
//! Knows their grammar. From weak to strong: `or`, `and`, `not`, one comparison, `+ -`, `* / %`,
//! a sign. Does not know what they come to.

use super::error::{Failure, Parsed};
use super::input::{
    Input, accept, ahead, expected, is_word, name, next, position, skip_lines, take,
};
use super::lexer::{Kind, Token};
use super::objects::var;
use crate::scenario::ast::{Expression, Operator};

/// Operators above one another: whoever evaluates an expression does so recursively.
const HEIGHT_MAX: u32 = 128;
/// Brackets and signs in one another: reading them is recursive too, through all levels.
const INSIDE_MAX: u32 = 64;

/// An expression, and how many operators are above its deepest operand.
struct Tree {
    expression: Expression,
    height: u32,
}

/// What ends an expression.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Whatever is no operator.
    Anything,
    /// A sign with a blank before it and none behind it too: it begins the next operand.
    Sign,
}

/// An expression.
pub(super) fn expression(input: &mut Input<'_, '_>) -> Parsed<Expression> {
    Ok(disjunction(input, End::Anything, 0)?.expression)
}

/// An expression that another one follows, without a comma between them: `cas x 0 -1 $ok`.
pub(super) fn expression_before_another(input: &mut Input<'_, '_>) -> Parsed<Expression> {
    Ok(disjunction(input, End::Sign, 0)?.expression)
}

/// Whether an expression may begin here.
pub(super) fn begins(input: &Input<'_, '_>) -> bool {
    match next(input).kind {
        Kind::Number | Kind::Local | Kind::Text | Kind::Minus | Kind::OpenRound => true,
        Kind::Word => !["case", "default", "and", "or"]
            .iter()
            .any(|word| is_word(input, word)),
        _ => false,
    }
}

fn disjunction(input: &mut Input<'_, '_>, end: End, inside: u32) -> Parsed<Tree> {
    let mut left = conjunction(input, end, inside)?;
    while is_word(input, "or") {
        let sign = take(input)?;
        skip_lines(input)?;
        let right = conjunction(input, end, inside)?;
        left = binary(Operator::Or, left, right, sign)?;
    }
    Ok(left)
}

fn conjunction(input: &mut Input<'_, '_>, end: End, inside: u32) -> Parsed<Tree> {
    let mut left = negation(input, end, inside)?;
    while is_word(input, "and") {
        let sign = take(input)?;
        skip_lines(input)?;
        let right = negation(input, end, inside)?;
        left = binary(Operator::And, left, right, sign)?;
    }
    Ok(left)
}

fn negation(input: &mut Input<'_, '_>, end: End, inside: u32) -> Parsed<Tree> {
    if !is_word(input, "not") {
        return comparison(input, end, inside);
    }
    let word = take(input)?;
    let inside = deeper(inside, INSIDE_MAX, word)?;
    let operand = negation(input, end, inside)?;
    Ok(Tree {
        height: deeper(operand.height, HEIGHT_MAX, word)?,
        expression: Expression::Not(Box::new(operand.expression)),
    })
}

fn comparison(input: &mut Input<'_, '_>, end: End, inside: u32) -> Parsed<Tree> {
    let left = sum(input, end, inside)?;
    let Some(operator) = compares(next(input).kind) else {
        if next(input).kind == Kind::Becomes {
            return Err(expected(input, "an operator")
                .hint(Some("`=` changes a variable; equality is written `==`")));
        }
        return Ok(left);
    };
    let sign = take(input)?;
    skip_lines(input)?;
    let right = sum(input, end, inside)?;
    if compares(next(input).kind).is_some() {
        let second = next(input).span;
        return Err(Failure::new(second, "comparisons do not chain")
            .hint(Some("write `a < b and b < c`, or brackets")));
    }
    binary(operator, left, right, sign)
}

fn compares(kind: Kind) -> Option<Operator> {
    Some(match kind {
        Kind::Equal => Operator::Equal,
        Kind::NotEqual => Operator::NotEqual,
        Kind::Less => Operator::Less,
        Kind::LessOrEqual => Operator::LessOrEqual,
        Kind::Greater => Operator::Greater,
        Kind::GreaterOrEqual => Operator::GreaterOrEqual,
        _ => return None,
    })
}

fn sum(input: &mut Input<'_, '_>, end: End, inside: u32) -> Parsed<Tree> {
    let mut left = product(input, inside)?;
    loop {
        let operator = match next(input).kind {
            Kind::Plus => Operator::Add,
            Kind::Minus if end == End::Anything || !begins_operand(input) => Operator::Subtract,
            _ => return Ok(left),
        };
        let sign = take(input)?;
        skip_lines(input)?;
        let right = product(input, inside)?;
        left = binary(operator, left, right, sign)?;
    }
}

/// Whether the sign that comes next has a blank before it and none behind it.
fn begins_operand(input: &Input<'_, '_>) -> bool {
    let sign = next(input).span;
    let before = input
        .previous_tokens()
        .next()
        .is_some_and(|token| token.span.end < sign.start);
    before && ahead(input, 1).span.start == sign.end
}

fn product(input: &mut Input<'_, '_>, inside: u32) -> Parsed<Tree> {
    let mut left = signed(input, inside)?;
    loop {
        let operator = match next(input).kind {
            Kind::Star => Operator::Multiply,
            Kind::Slash => Operator::Divide,
            Kind::Percent => Operator::Remainder,
            _ => return Ok(left),
        };
        let sign = take(input)?;
        skip_lines(input)?;
        let right = signed(input, inside)?;
        left = binary(operator, left, right, sign)?;
    }
}

fn signed(input: &mut Input<'_, '_>, inside: u32) -> Parsed<Tree> {
    let start = position(input);
    let Some(sign) = accept(input, Kind::Minus)? else {
        return operand(input, inside);
    };
    input.state.layout.prefixes.push(start);
    if next(input).kind == Kind::Number {
        return number(input, "-");
    }
    let inside = deeper(inside, INSIDE_MAX, sign)?;
    let operand = signed(input, inside)?;
    Ok(Tree {
        height: deeper(operand.height, HEIGHT_MAX, sign)?,
        expression: Expression::Negate(Box::new(operand.expression)),
    })
}

fn operand(input: &mut Input<'_, '_>, inside: u32) -> Parsed<Tree> {
    let token = next(input);
    let expression = match token.kind {
        Kind::Number => return number(input, ""),
        Kind::Local => {
            take(input)?;
            Expression::Local(input.state.local(token)?)
        }
        Kind::OpenRound => {
            take(input)?;
            let inside = deeper(inside, INSIDE_MAX, token)?;
            skip_lines(input)?;
            let tree = disjunction(input, End::Anything, inside)?;
            skip_lines(input)?;
            if accept(input, Kind::CloseRound)?.is_none() {
                return Err(expected(input, "an operator or `)`"));
            }
            return Ok(tree);
        }
        Kind::Word | Kind::Text if begins(input) => {
            let name = name(input, "a variable")?;
            Expression::Var(var(input, name)?)
        }
        _ => return Err(expected(input, "a number, a variable, `$x` or `(`")),
    };
    Ok(Tree {
        expression,
        height: 0,
    })
}

fn number(input: &mut Input<'_, '_>, sign: &str) -> Parsed<Tree> {
    let token = take(input)?;
    let digits = input.state.text_of(token.span);
    match format!("{sign}{digits}").parse() {
        Ok(number) => Ok(Tree {
            expression: Expression::Number(number),
            height: 0,
        }),
        Err(_) => Err(Failure::new(
            token.span,
            "the number does not fit in 64 bits",
        )),
    }
}

fn binary(operator: Operator, left: Tree, right: Tree, sign: Token) -> Parsed<Tree> {
    let height = deeper(left.height.max(right.height), HEIGHT_MAX, sign)?;
    let (left, right) = (Box::new(left.expression), Box::new(right.expression));
    Ok(Tree {
        expression: Expression::Binary(operator, left, right),
        height,
    })
}

fn deeper(height: u32, max: u32, at: Token) -> Parsed<u32> {
    if height < max {
        return Ok(height + 1);
    }
    let message = format!("the expression is nested more than {max} deep");
    Err(Failure::new(at.span, message).hint(Some("compute it in parts, in a `$variable`")))
}
