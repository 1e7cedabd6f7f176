//! Expressions as the interpreter evaluates them: in postfix order, without recursion.
//!
//! Knows arithmetic. Does not know where the values of variables are kept, nor that reading one is
//! a step.

use smallvec::SmallVec;

use super::ast::{Expression, LocalIndex, ObjectIndex, Operator};

/// One symbol of an expression in postfix order.
#[derive(Clone, Copy, Debug)]
enum Symbol {
    Number(i64),
    Local(LocalIndex),
    Var(ObjectIndex),
    Negate,
    Not,
    Binary(Operator),
}

/// An expression.
#[derive(Clone, Debug)]
pub(super) struct Formula {
    symbols: Box<[Symbol]>,
}

/// Why an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Undefined {
    Overflow,
    DivisionByZero,
}

impl Undefined {
    /// What a thread does that evaluates it.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Undefined::Overflow => "arithmetic overflow",
            Undefined::DivisionByZero => "division by zero",
        }
    }
}

impl Formula {
    pub(super) fn new(source: &Expression) -> Formula {
        // The operator first, then its operands from right to left: postfix order from the end.
        let mut symbols = Vec::new();
        let mut left = vec![source];
        while let Some(expression) = left.pop() {
            symbols.push(match expression {
                Expression::Number(number) => Symbol::Number(*number),
                Expression::Local(local) => Symbol::Local(*local),
                Expression::Var(var) => Symbol::Var(*var),
                Expression::Negate(operand) => {
                    left.push(operand);
                    Symbol::Negate
                }
                Expression::Not(operand) => {
                    left.push(operand);
                    Symbol::Not
                }
                Expression::Binary(operator, one, two) => {
                    left.push(one);
                    left.push(two);
                    Symbol::Binary(*operator)
                }
            });
        }
        symbols.reverse();
        Formula {
            symbols: symbols.into(),
        }
    }

    /// The shared variables that it reads; one that occurs twice comes twice.
    pub(super) fn reads(&self) -> impl Iterator<Item = ObjectIndex> {
        self.symbols.iter().filter_map(|symbol| match symbol {
            Symbol::Var(var) => Some(*var),
            _ => None,
        })
    }

    /// Its value.
    ///
    /// # Errors
    /// When it has none.
    pub(super) fn value(
        &self,
        local: impl Fn(LocalIndex) -> i64,
        var: impl Fn(ObjectIndex) -> i64,
    ) -> Result<i64, Undefined> {
        let mut stack: SmallVec<[i64; 8]> = SmallVec::new();
        let pop = |stack: &mut SmallVec<[i64; 8]>| stack.pop().expect("an operand");
        for symbol in &self.symbols {
            let value = match *symbol {
                Symbol::Number(number) => number,
                Symbol::Local(index) => local(index),
                Symbol::Var(index) => var(index),
                Symbol::Negate => pop(&mut stack).checked_neg().ok_or(Undefined::Overflow)?,
                Symbol::Not => i64::from(pop(&mut stack) == 0),
                Symbol::Binary(operator) => {
                    let two = pop(&mut stack);
                    let one = pop(&mut stack);
                    binary(operator, one, two)?
                }
            };
            stack.push(value);
        }
        Ok(pop(&mut stack))
    }
}

fn binary(operator: Operator, one: i64, two: i64) -> Result<i64, Undefined> {
    let is = |condition: bool| Ok(i64::from(condition));
    let checked = |value: Option<i64>| value.ok_or(Undefined::Overflow);
    match operator {
        Operator::Divide | Operator::Remainder if two == 0 => Err(Undefined::DivisionByZero),
        Operator::Add => checked(one.checked_add(two)),
        Operator::Subtract => checked(one.checked_sub(two)),
        Operator::Multiply => checked(one.checked_mul(two)),
        Operator::Divide => checked(one.checked_div(two)),
        Operator::Remainder => checked(one.checked_rem(two)),
        Operator::Equal => is(one == two),
        Operator::NotEqual => is(one != two),
        Operator::Less => is(one < two),
        Operator::LessOrEqual => is(one <= two),
        Operator::Greater => is(one > two),
        Operator::GreaterOrEqual => is(one >= two),
        Operator::And => is(one != 0 && two != 0),
        Operator::Or => is(one != 0 || two != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: i64) -> Box<Expression> {
        Box::new(Expression::Number(value))
    }

    #[test]
    fn operators_on_two_numbers() {
        use Operator::*;
        use Undefined::*;
        let cases = [
            (Add, 7, 2, Ok(9)),
            (Add, i64::MAX, 1, Err(Overflow)),
            (Subtract, 2, 7, Ok(-5)),
            (Subtract, i64::MIN, 1, Err(Overflow)),
            (Multiply, 7, -2, Ok(-14)),
            (Multiply, i64::MAX, 2, Err(Overflow)),
            (Divide, -7, 2, Ok(-3)),
            (Divide, 7, 0, Err(DivisionByZero)),
            (Divide, i64::MIN, -1, Err(Overflow)),
            (Remainder, -7, 2, Ok(-1)),
            (Remainder, 7, 0, Err(DivisionByZero)),
            (Equal, 2, 2, Ok(1)),
            (NotEqual, 2, 2, Ok(0)),
            (Less, 1, 2, Ok(1)),
            (LessOrEqual, 3, 2, Ok(0)),
            (Greater, 3, 2, Ok(1)),
            (GreaterOrEqual, 2, 2, Ok(1)),
            (And, 5, 0, Ok(0)),
            (And, 5, -1, Ok(1)),
            (Or, 0, 3, Ok(1)),
            (Or, 0, 0, Ok(0)),
        ];
        for (operator, one, two, expected) in cases {
            let source = Expression::Binary(operator, number(one), number(two));
            let value = Formula::new(&source).value(|_| 0, |_| 0);
            assert_eq!(value, expected, "{one} {operator:?} {two}");
        }
    }

    #[test]
    fn operands_keep_their_sides_at_any_depth() {
        // (10 - (x - $0)) - not 0, with x = 4 and $0 = 1.
        let inner = Expression::Binary(
            Operator::Subtract,
            Box::new(Expression::Var(ObjectIndex(3))),
            Box::new(Expression::Local(LocalIndex(0))),
        );
        let left = Expression::Binary(Operator::Subtract, number(10), Box::new(inner));
        let right = Expression::Not(number(0));
        let source = Expression::Binary(Operator::Subtract, Box::new(left), Box::new(right));
        let formula = Formula::new(&source);
        assert_eq!(formula.value(|_| 1, |_| 4), Ok(6));
        assert_eq!(formula.reads().collect::<Vec<_>>(), [ObjectIndex(3)]);
    }

    #[test]
    fn a_deep_expression_needs_no_stack() {
        let mut source = Expression::Number(1);
        for _ in 0..10_000 {
            source = Expression::Negate(Box::new(source));
        }
        assert_eq!(Formula::new(&source).value(|_| 0, |_| 0), Ok(1));
        // Dropping it is the parser's care: it does not let expressions become that deep.
        std::mem::forget(source);
    }
}
