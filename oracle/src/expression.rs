//! Expressions, in postfix order.
//!
//! Knows arithmetic. Does not know where the values of variables are kept.

use gordian::scenario::ast;

/// One symbol of a postfix expression.
#[derive(Clone, Copy, Debug)]
enum Symbol {
    Number(i64),
    Local(u32),
    Var(u32),
    Negate,
    Not,
    Binary(ast::Operator),
}

/// An expression that is evaluated without recursion.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    symbols: Box<[Symbol]>,
}

impl Expression {
    pub(crate) fn new(source: &ast::Expression) -> Expression {
        // An operator is written down before its operands and the right one before the left; turned
        // round, that is postfix order.
        let mut symbols = Vec::new();
        let mut left = vec![source];
        while let Some(expression) = left.pop() {
            match expression {
                ast::Expression::Number(number) => symbols.push(Symbol::Number(*number)),
                ast::Expression::Local(local) => symbols.push(Symbol::Local(local.0)),
                ast::Expression::Var(var) => symbols.push(Symbol::Var(var.0)),
                ast::Expression::Negate(operand) => {
                    symbols.push(Symbol::Negate);
                    left.push(operand);
                }
                ast::Expression::Not(operand) => {
                    symbols.push(Symbol::Not);
                    left.push(operand);
                }
                ast::Expression::Binary(operator, one, two) => {
                    symbols.push(Symbol::Binary(*operator));
                    left.push(one);
                    left.push(two);
                }
            }
        }
        symbols.reverse();
        Expression {
            symbols: symbols.into(),
        }
    }

    /// Whether it reads a `var`, which makes its evaluation a step.
    pub(crate) fn is_shared(&self) -> bool {
        self.vars().next().is_some()
    }

    /// The `var`s that it reads.
    pub(crate) fn vars(&self) -> impl Iterator<Item = u32> {
        self.symbols.iter().filter_map(|symbol| match symbol {
            Symbol::Var(var) => Some(*var),
            _ => None,
        })
    }

    /// The locals that it reads.
    pub(crate) fn locals(&self) -> impl Iterator<Item = u32> {
        self.symbols.iter().filter_map(|symbol| match symbol {
            Symbol::Local(local) => Some(*local),
            _ => None,
        })
    }

    /// Its value; none when the arithmetic is at its end.
    pub(crate) fn value(&self, locals: &[i64], var: impl Fn(u32) -> i64) -> Option<i64> {
        let mut values: Vec<i64> = Vec::with_capacity(4);
        for symbol in &self.symbols {
            let value = match *symbol {
                Symbol::Number(number) => number,
                Symbol::Local(local) => locals[local as usize],
                Symbol::Var(index) => var(index),
                Symbol::Negate => values.pop()?.checked_neg()?,
                Symbol::Not => i64::from(values.pop()? == 0),
                Symbol::Binary(operator) => {
                    let two = values.pop()?;
                    let one = values.pop()?;
                    binary(operator, one, two)?
                }
            };
            values.push(value);
        }
        values.pop()
    }
}

fn binary(operator: ast::Operator, one: i64, two: i64) -> Option<i64> {
    use ast::Operator as O;
    Some(match operator {
        O::Add => one.checked_add(two)?,
        O::Subtract => one.checked_sub(two)?,
        O::Multiply => one.checked_mul(two)?,
        O::Divide => one.checked_div(two)?,
        O::Remainder => one.checked_rem(two)?,
        O::Equal => i64::from(one == two),
        O::NotEqual => i64::from(one != two),
        O::Less => i64::from(one < two),
        O::LessOrEqual => i64::from(one <= two),
        O::Greater => i64::from(one > two),
        O::GreaterOrEqual => i64::from(one >= two),
        O::And => i64::from(one != 0 && two != 0),
        O::Or => i64::from(one != 0 || two != 0),
    })
}
