//! The two programs of the old note on deadlocks, and their fixes.
//!
//! A web application: each page runs in a thread of its own.

use std::sync::Arc;
use std::time::Duration;

use gordian::sync::Mutex;
use gordian::thread::Builder;
use gordian::{Code, Named};

/// Locks around the customers' last id and the number of orders.
#[derive(Debug)]
struct Project {
    customers: Mutex<u32>,
    orders: Mutex<u32>,
}

impl Project {
    fn new() -> Arc<Project> {
        let customers = Mutex::new(0).named("customersLock");
        Arc::new(Project {
            customers,
            orders: Mutex::new(0).named("ordersLock"),
        })
    }
}

/// Runs two pages at the same time and checks what they have counted.
fn serve(
    new_customer: impl FnOnce(&Project) + Send + 'static,
    new_order: impl FnOnce(&Project) + Send + 'static,
) -> Arc<Project> {
    let project = Project::new();
    let (first, second) = (Arc::clone(&project), Arc::clone(&project));
    let page = |name: &str| Builder::new().name(name.to_owned());
    let first = page("new customer")
        .spawn(move || new_customer(&first))
        .expect("it starts");
    let second = page("new order")
        .spawn(move || new_order(&second))
        .expect("it starts");
    first.join().expect("the page does not panic");
    second.join().expect("the page does not panic");
    project
}

/// The pages nest the locks, in opposite order.
pub fn customers_orders() {
    serve(
        |project| {
            let mut customers = project.customers.lock();
            *customers += 1;
            *project.orders.lock() += 1;
        },
        |project| {
            let mut orders = project.orders.lock();
            *orders += 1;
            *project.customers.lock() += 1;
        },
    );
}

/// The rewrite: ids and counts do not depend on each other, so nothing is nested.
pub fn customers_orders_unnested() {
    let project = serve(
        |project| {
            *project.customers.lock() += 1;
            *project.orders.lock() += 1;
        },
        |project| {
            *project.orders.lock() += 1;
            *project.customers.lock() += 1;
        },
    );
    assert_eq!((*project.customers.lock(), *project.orders.lock()), (2, 2));
}

/// Time-outs on the inner locks; a page that cannot have its lock gives up.
pub fn customers_orders_timeout() {
    const TIMEOUT: Duration = Duration::from_secs(3);
    serve(
        |project| {
            let mut customers = project.customers.lock();
            *customers += 1;
            if let Some(mut orders) = project.orders.try_lock_for(TIMEOUT) {
                *orders += 1;
            }
        },
        |project| {
            let mut orders = project.orders.lock();
            *orders += 1;
            if let Some(mut customers) = project.customers.try_lock_for(TIMEOUT) {
                *customers += 1;
            }
        },
    );
}

/// The same, with the claim that no page ever gives up: which is false.
pub fn customers_orders_timeout_never_fires() {
    const TIMEOUT: Duration = Duration::from_secs(3);
    serve(
        |project| {
            let _customers = project.customers.lock();
            let orders = project.orders.try_lock_for(TIMEOUT);
            assert!(orders.is_some(), "a time-out");
        },
        |project| {
            let _orders = project.orders.lock();
            let customers = project.customers.try_lock_for(TIMEOUT);
            assert!(customers.is_some(), "a time-out");
        },
    );
}

/// `fn1` calls `fn2` while it holds the lock that `fn2` takes.
pub fn fn1_calls_fn2() {
    let project = Mutex::new(0).named("project");
    let fn2 = || *project.lock() += 1;
    let fn1 = || {
        let mut value = project.lock();
        *value += 1;
        fn2();
    };
    fn1();
}

/// The lock is given back before the call.
pub fn fn1_calls_fn2_fixed() {
    let project = Mutex::new(0).named("project");
    let fn2 = || *project.lock() += 1;
    let fn1 = || {
        *project.lock() += 1;
        fn2();
    };
    fn1();
    assert_eq!(*project.lock(), 2);
}

/// A seed program, what must be found in it and what must not.
#[derive(Clone, Copy, Debug)]
pub struct Seed {
    /// Its name.
    pub name: &'static str,
    /// The program.
    pub program: fn(),
    /// What must be found; nothing else may be.
    pub finds: &'static [Code],
    /// Number of interleavings that differ, by hand. With time-outs: one page before the other (2),
    /// one gives up while the other is at its inner lock (2), after it (2), or both give up (1).
    pub executions: u64,
}

/// The seed programs.
pub const SEEDS: &[Seed] = &[
    Seed {
        name: "customers_orders",
        program: customers_orders,
        finds: &[Code::Deadlock],
        executions: 3,
    },
    Seed {
        name: "customers_orders_unnested",
        program: customers_orders_unnested,
        finds: &[],
        executions: 3,
    },
    Seed {
        name: "customers_orders_timeout",
        program: customers_orders_timeout,
        finds: &[Code::TimeoutOnly],
        executions: 7,
    },
    Seed {
        name: "customers_orders_timeout_never_fires",
        program: customers_orders_timeout_never_fires,
        finds: &[Code::TimeoutOnly, Code::Panic],
        executions: 7,
    },
    Seed {
        name: "fn1_calls_fn2",
        program: fn1_calls_fn2,
        finds: &[Code::SelfDeadlock],
        executions: 1,
    },
    Seed {
        name: "fn1_calls_fn2_fixed",
        program: fn1_calls_fn2_fixed,
        finds: &[],
        executions: 1,
    },
];
