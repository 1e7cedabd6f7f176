//! The two programs of the note on deadlocks, their fixes, and a fix that is none.

use gordian::report::Engine;
use gordian::{Checker, Code};
use model_tests::seeds::{self, SEEDS};

#[gordian::test(expect = "deadlock")]
fn customers_orders() {
    seeds::customers_orders();
}

#[gordian::test]
fn customers_orders_unnested() {
    seeds::customers_orders_unnested();
}

#[gordian::test(expect = "timeout-only")]
fn customers_orders_timeout() {
    seeds::customers_orders_timeout();
}

#[gordian::test(expect = "timeout-only, panic")]
fn customers_orders_timeout_never_fires() {
    seeds::customers_orders_timeout_never_fires();
}

#[gordian::test(expect = "self-deadlock")]
fn fn1_calls_fn2() {
    seeds::fn1_calls_fn2();
}

#[gordian::test(vacuous = "allow")]
fn fn1_calls_fn2_fixed() {
    seeds::fn1_calls_fn2_fixed();
}

/// What is in the table is found, and nothing else, to the end of the search.
fn check(engine: Engine) {
    for seed in SEEDS {
        let program = seed.program;
        let report = Checker::new().name(seed.name).engine(engine).check(program);
        let mut wanted = seed.finds.to_vec();
        wanted.sort_unstable();
        assert_eq!(
            report.codes(),
            wanted,
            "{}: {}",
            seed.name,
            report.explain()
        );
        assert!(
            model_tests::searched_to_the_end(&report),
            "{}: {:?}",
            seed.name,
            report.search
        );
        if engine == Engine::Controlled {
            let executions = report.search.executions;
            assert_eq!(
                executions, seed.executions,
                "{}: {:?}",
                seed.name, report.search
            );
        }
    }
}

#[test]
fn seeds_have_what_the_table_says() {
    check(Engine::Controlled);
}

#[test]
fn loom_agrees_on_the_seeds() {
    check(Engine::Loom);
}

/// Two locks, two threads: the cycle names all four places.
#[test]
fn customers_orders_names_both_sites_of_both_edges() {
    let report = Checker::new().check(seeds::customers_orders);
    let finding = report.assert_found(Code::Deadlock);
    assert_eq!(finding.threads, ["new customer", "new order"]);
    assert_eq!(finding.objects, ["customersLock", "ordersLock"]);
    assert_eq!(finding.edges.len(), 2);
    for edge in &finding.edges {
        let holder = edge.holder.as_ref().expect("the other page holds it");
        assert!(edge.site.file.ends_with("seeds.rs"), "{edge:?}");
        assert!(
            holder
                .site
                .as_ref()
                .is_some_and(|s| s.file.ends_with("seeds.rs")),
            "{edge:?}"
        );
    }
}
