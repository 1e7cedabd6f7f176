use gordian::scenario::{Options, check, parse};
#[test]
fn tmp() {
    let source = std::fs::read_to_string(std::env::var("FILE").unwrap()).unwrap();
    let scenario = std::sync::Arc::new(parse(&source).unwrap());
    let begin = std::time::Instant::now();
    let checked = check(&scenario, "x.gordian", &source, &Options::default());
    let s = &checked.report.search;
    println!("{:?} exec {} steps {} complete {} strategy {} endless {}", begin.elapsed(), s.executions, s.steps, s.complete, s.strategy, checked.endless);
    for f in &checked.report.findings { println!("{:?} {} {:?}", f.code, f.message, f.token); }
    for t in &checked.terminals { println!("{t:?}"); }
    let answer = gordian_oracle::search(&scenario, &Default::default());
    println!("oracle {:?} {:?} {:?} states {}", answer.codes, answer.stuck, answer.terminal, answer.states);
}
