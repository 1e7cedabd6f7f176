//! What is no scenario, and what is said about it.
#![cfg(feature = "scenario")]

use std::time::{Duration, Instant};

use expect_test::{Expect, expect};
use gordian::scenario::{ParseError, format, parse, parse_all};
use proptest::prelude::*;

/// The place, the message, the text that is wrong, and the hint.
fn rendered(source: &str) -> String {
    let error = parse(source).expect_err(source);
    assert_eq!(format(source).as_ref().err(), Some(&error));
    let wrong = &source[error.span().start as usize..error.span().end as usize];
    let hint = error.hint().map(|hint| format!("\n  {hint}"));
    format!(
        "{}:{} {wrong:?}: {}{}",
        error.line(),
        error.column(),
        error.message(),
        hint.unwrap_or_default()
    )
}

fn check(source: &str, expected: Expect) {
    expected.assert_eq(&rendered(source));
}

/// A statement among objects of all kinds.
fn check_statement(statement: &str, expected: Expect) {
    let objects = "mutex m; lock l; rmutex o; rwlock r; condvar c; semaphore s = 1; \
                   semaphore q = 1 fifo; channel ch; waitgroup w; barrier b = 2; once once1; \
                   notify n; var x, total; proc p {}";
    let threads = "deferred thread later {}; thread crew * 2 {}";
    let source = format!("{objects}\n{threads}\nthread t {{\n{statement}\n}}\n");
    expected.assert_eq(&rendered(&source));
}

#[test]
fn what_stands_outside_of_threads() {
    check(
        "",
        expect![[r#"
        1:1 "": expected a thread, found the end of the file
          a scenario has at least one `thread NAME { … }`"#]],
    );
    check(
        "mutex m\n",
        expect![[r#"
        2:1 "": expected a thread, found the end of the file
          a scenario has at least one `thread NAME { … }`"#]],
    );
    check(
        "%%%",
        expect![[r#"1:1 "%": expected a declaration or a thread, found `%`"#]],
    );
    check(
        "&",
        expect![[r#"
        1:1 "&": unexpected character `&`
          write `and`"#]],
    );
    check(
        "mutex m\n}\nthread t {}",
        expect![[r#"2:1 "}": this `}` closes nothing"#]],
    );
    check(
        "mutx m\nthread t {}",
        expect![[r#"
        1:1 "mutx": expected a declaration or a thread, found `mutx`
          did you mean `mutex`?"#]],
    );
    check(
        "lock_it m",
        expect![[r#"1:1 "lock_it": expected a declaration or a thread, found `lock_it`"#]],
    );
    check(
        "acquire s",
        expect![[r#"
        1:1 "acquire": expected a declaration or a thread, found `acquire`
          `acquire` is a statement: it stands in a thread"#]],
    );
    check(
        "theard t {}",
        expect![[r#"
        1:1 "theard": expected a declaration or a thread, found `theard`
          did you mean `thread`?"#]],
    );
    check(
        "1 2 3",
        expect![[r#"1:1 "1": expected a declaration or a thread, found `1`"#]],
    );
    check(
        "mutex\nthread t {}",
        expect![[r#"1:6 "\n": expected the name of the mutex, found the end of the line"#]],
    );
    check(
        "mutex",
        expect![[r#"1:6 "": expected the name of the mutex, found the end of the file"#]],
    );
    check(
        "mutex a b\nthread t {}",
        expect![[r#"
            1:9 "b": expected the end of the line, found `b`
              `,` separates objects of one declaration"#]],
    );
    check(
        "mutex a,",
        expect![[r#"1:9 "": expected the name of the mutex, found the end of the file"#]],
    );
    check(
        "semaphore s\nthread t {}",
        expect![[r#"1:12 "\n": expected `=` and a number of permits, found the end of the line"#]],
    );
    check(
        "semaphore s = -1\nthread t {}",
        expect![[r#"1:15 "-1": -1 is not a number of permits from 0 to 4294967295"#]],
    );
    check(
        "semaphore s = 2 max 1",
        expect![[r#"1:21 "1": 1 is not a number of permits from 2 to 4294967295"#]],
    );
    check(
        "semaphore s = 1 fiffo",
        expect![[r#"
        1:17 "fiffo": expected `fifo` or `max`, found `fiffo`
          did you mean `fifo`?"#]],
    );
    check(
        "barrier b = 0",
        expect![[r#"1:13 "0": 0 is not a number of threads from 1 to 4294967295"#]],
    );
    check(
        "barrier b",
        expect![[r#"1:10 "": expected `=` and a number of threads, found the end of the file"#]],
    );
    check(
        "rwlock r reader_prefering",
        expect![[r#"
        1:10 "reader_prefering": expected `writer_preferring`, `fifo` or `reader_preferring`, found `reader_prefering`
          did you mean `reader_preferring`?"#]],
    );
    check(
        "condvar c spurios",
        expect![[r#"
        1:11 "spurios": expected `spurious` or `fifo`, found `spurios`
          did you mean `spurious`?"#]],
    );
    check(
        "channel c = 99999999999",
        expect![[r#"1:13 "99999999999": 99999999999 is not a capacity from 0 to 4294967295"#]],
    );
    check(
        "var x = 9223372036854775808",
        expect![[
            r#"1:9 "9223372036854775808": 9223372036854775808 is not a number from -2⁶³ to 2⁶³ - 1"#
        ]],
    );
    check(
        "var x = \"one\"",
        expect![[r#"1:9 "\"one\"": expected a number, found `"one"`"#]],
    );
    check(
        "mutex m\nvar m",
        expect![[r#"
        2:5 "m": there are two objects `m`
          the other one is declared in line 1"#]],
    );
    check(
        "thread t {}\nthread t {}",
        expect![[r#"
        2:8 "t": there are two threads `t`
          the other one is declared in line 1"#]],
    );
    check(
        "thread \"t.2\" {}\nthread t * 3 {}",
        expect![[r#"
        2:8 "t": there are two threads `t.2`
          the other one is declared in line 1"#]],
    );
    check(
        "thread t {}\nthread t * 2 {}",
        expect![[r#"2:8 "t": there are two threads `t`"#]],
    );
    check(
        "proc p {}\nproc p {}\nthread t {}",
        expect![[r#"
        2:6 "p": there are two procs `p`
          the other one is declared in line 1"#]],
    );
    check(
        "proc p {}\nproc p {}\nproc p {}\nthread t {}",
        expect![[r#"
            2:6 "p": there are two procs `p`
              the other one is declared in line 1"#]],
    );
    check(
        "title x",
        expect![[r#"1:7 "x": expected the title in double quotes, found `x`"#]],
    );
    check(
        "title \"a\"\ntitle \"b\"",
        expect![[r#"2:1 "title": `title` is given a second time"#]],
    );
    check(
        "expect dead-lock",
        expect![[r#"
        1:8 "dead-lock": no finding has the code `dead-lock`
          did you mean `deadlock`?"#]],
    );
    check(
        "expect",
        expect![[
            r#"1:7 "": expected `clean`, `stuck`, `misuse` or the code of a finding, found the end of the file"#
        ]],
    );
    check(
        "expect deadlock, clean",
        expect![[r#"
        1:18 "clean": no finding has the code `clean`
          `clean` stands alone"#]],
    );
    check(
        "expect stuck, deadlock",
        expect![[r#"
            1:13 ",": expected the end of the line, found `,`
              `stuck` stands alone"#]],
    );
    check(
        "expect panic, panic",
        expect![[r#"1:15 "panic": `panic` is named twice"#]],
    );
    check(
        "expect_executions 0",
        expect![[r#"1:19 "0": 0 is not a number of executions from 1 to 2⁶³ - 1"#]],
    );
    check(
        "expect_executions many",
        expect![[r#"1:19 "many": expected a number of executions, found `many`"#]],
    );
}

#[test]
fn threads_and_characters() {
    check(
        "thread t * 64 {}",
        expect![[r#"1:12 "64": 64 is not a number of threads from 1 to 63"#]],
    );
    check(
        "thread t * 0 {}",
        expect![[r#"1:12 "0": 0 is not a number of threads from 1 to 63"#]],
    );
    check(
        "thread t * 40 {}\nthread u * 24 {}",
        expect![[r#"2:10 "*": there are more than 63 threads"#]],
    );
    check(
        "daemon proc p {}",
        expect![[r#"1:8 "proc": expected `thread`, found `proc`"#]],
    );
    check(
        "thread {}",
        expect![[r#"1:8 "{": expected a name or `thread`, found `{`"#]],
    );
    check(
        "thread t\nmutex m",
        expect![[r#"2:1 "mutex": expected `{`, found `mutex`"#]],
    );
    check(
        "thread t {\n    nop\n",
        expect![[r#"1:10 "{": this `{` is never closed"#]],
    );
    check(
        "thread t {\n    loop {\n        nop\n}\nthread u {}",
        expect![[r#"
            5:1 "thread": expected a statement or `}`, found `thread`
              the block that begins in line 1 is not closed"#]],
    );
    check(
        "proc p { call q }\nproc q { call p }\nthread t { call p }",
        expect![[r#"
            1:15 "q": proc `q` calls itself
              use `loop`: a proc is no function"#]],
    );
    check(
        "proc p { call p }\nthread t {}",
        expect![[r#"
        1:15 "p": proc `p` calls itself
          use `loop`: a proc is no function"#]],
    );
    check(
        "title \"abc\nthread t {}",
        expect![[r#"1:7 "\"abc": the text does not end on its line"#]],
    );
    check("mutex \"\"", expect![[r#"1:7 "\"\"": the text is empty"#]]);
    check(
        "mutex m\0",
        expect![[r#"1:8 "\0": unexpected character U+0000"#]],
    );
    check(
        "# a\0b\nthread t {}",
        expect![[r#"1:4 "\0": unexpected character U+0000"#]],
    );
    check(
        "title \"a\u{1b}[31m\"",
        expect![[r#"1:9 "\u{1b}": unexpected character U+001B"#]],
    );
    check(
        "mutex m\rthread t {}",
        expect![[r#"
        1:8 "\r": unexpected character U+000D
          a line ends with a line feed, with or without a carriage return before it"#]],
    );
    check(
        "mutex größe",
        expect![[r#"
        1:9 "ö": unexpected character `ö`
          a name with other characters than A-Z, a-z, 0-9 and _ stands in double quotes"#]],
    );
    check(
        "mutex 2m",
        expect![[r#"
        1:7 "2m": `2m` is neither a number nor a name
          a name does not begin with a digit"#]],
    );
    check(
        "thread t { $ = 1 }",
        expect![[r#"1:12 "$": `$` has no name"#]],
    );
    check(
        "title 'x'",
        expect![[r#"
        1:7 "'": unexpected character `'`
          a text stands in double quotes"#]],
    );
}

#[test]
fn statements() {
    check_statement(
        "lok m",
        expect![[r#"
        4:1 "lok": there is no statement `lok`
          did you mean `lock`?"#]],
    );
    check_statement(
        "lock x",
        expect![[r#"4:6 "x": `lock` takes a mutex, a lock or an rmutex, and `x` is a var"#]],
    );
    check_statement(
        "lock s",
        expect![[r#"
        4:6 "s": `lock` takes a mutex, a lock or an rmutex, and `s` is a semaphore
          write `acquire`"#]],
    );
    check_statement(
        "lock r",
        expect![[r#"
            4:6 "r": `lock` takes a mutex, a lock or an rmutex, and `r` is an rwlock
              write `read` or `write`"#]],
    );
    check_statement(
        "lock nosuch",
        expect![[r#"
        4:6 "nosuch": there is no mutex `nosuch`
          declare it: `mutex nosuch`"#]],
    );
    check_statement(
        "lock",
        expect![[
            r#"4:5 "\n": expected the name of a mutex, a lock or an rmutex, found the end of the line"#
        ]],
    );
    check_statement(
        "lock m m",
        expect![[r#"4:8 "m": expected the end of the statement, found `m`"#]],
    );
    check_statement(
        "lock 5",
        expect![[r#"4:6 "5": expected the name of a mutex, a lock or an rmutex, found `5`"#]],
    );
    check_statement(
        "unlock s",
        expect![[r#"
            4:8 "s": `unlock` takes a mutex, a lock, an rmutex or an rwlock, and `s` is a semaphore
              write `release`"#]],
    );
    check_statement(
        "timedlock m",
        expect![[r#"4:12 "\n": expected `$ok` for the outcome, found the end of the line"#]],
    );
    check_statement(
        "locked m",
        expect![[r#"4:9 "\n": expected `$r` for the answer, found the end of the line"#]],
    );
    check_statement(
        "with m nop",
        expect![[r#"4:8 "nop": expected `{`, found `nop`"#]],
    );
    check_statement(
        "read m",
        expect![[r#"
            4:6 "m": `read` takes an rwlock, and `m` is a mutex
              write `lock`"#]],
    );
    check_statement(
        "read x",
        expect![[r#"
            4:6 "x": `read` takes an rwlock, and `x` is a var
              a `var` is read by using it: `$r = x`"#]],
    );
    check_statement(
        "trylock r $ok",
        expect![[r#"
            4:9 "r": `trylock` takes a mutex, a lock or an rmutex, and `r` is an rwlock
              write `tryread` or `trywrite`"#]],
    );
    check_statement(
        "upgrade l",
        expect![[r#"4:9 "l": `upgrade` takes an rwlock, and `l` is a lock"#]],
    );
    check_statement(
        "wait c",
        expect![[
            r#"4:7 "\n": expected the name of a mutex, a lock or an rmutex, found the end of the line"#
        ]],
    );
    check_statement(
        "wait c s",
        expect![[r#"4:8 "s": `wait` takes a mutex, a lock or an rmutex, and `s` is a semaphore"#]],
    );
    check_statement(
        "wait m m",
        expect![[r#"4:6 "m": `wait` takes a condvar, and `m` is a mutex"#]],
    );
    check_statement(
        "notify_one n",
        expect![[r#"
        4:12 "n": `notify_one` takes a condvar, and `n` is a notify
          write `notify` or `notify_waiters`"#]],
    );
    check_statement(
        "notify c",
        expect![[r#"
        4:8 "c": `notify` takes a notify, and `c` is a condvar
          write `notify_one` or `notify_all`"#]],
    );
    check_statement(
        "wait_notify c",
        expect![[r#"
        4:13 "c": `wait_notify` takes a notify, and `c` is a condvar
          write `wait`"#]],
    );
    check_statement(
        "acquire m",
        expect![[r#"
        4:9 "m": `acquire` takes a semaphore, and `m` is a mutex
          write `lock`"#]],
    );
    check_statement(
        "acquire s 0",
        expect![[r#"4:11 "0": 0 is not a number of permits from 1 to 4294967295"#]],
    );
    check_statement(
        "acquire s 5000000000",
        expect![[
            r#"4:11 "5000000000": 5000000000 is not a number of permits from 1 to 4294967295"#
        ]],
    );
    check_statement(
        "acquire s x",
        expect![[r#"4:11 "x": expected the end of the statement, found `x`"#]],
    );
    check_statement(
        "release m",
        expect![[r#"
        4:9 "m": `release` takes a semaphore, and `m` is a mutex
          write `unlock`"#]],
    );
    check_statement(
        "tryacquire s",
        expect![[r#"4:13 "\n": expected `$ok` for the outcome, found the end of the line"#]],
    );
    check_statement(
        "ticket s a",
        expect![[r#"
        4:8 "s": `ticket` takes a fifo semaphore, and `s` has no queue
          declare it `semaphore s = … fifo`"#]],
    );
    check_statement(
        "ticket q",
        expect![[r#"4:9 "\n": expected the name of a ticket, found the end of the line"#]],
    );
    check_statement(
        "await_ticket q a",
        expect![[r#"4:16 "a": no `ticket q a` makes this ticket"#]],
    );
    check_statement(
        "send m",
        expect![[r#"4:6 "m": `send` takes a channel, and `m` is a mutex"#]],
    );
    check_statement(
        "send ch )",
        expect![[r#"4:9 ")": expected the end of the statement, found `)`"#]],
    );
    check_statement(
        "recv ch 5",
        expect![[r#"4:9 "5": expected the end of the statement, found `5`"#]],
    );
    check_statement(
        "select {}",
        expect![[r#"
        4:8 "{": this `select` has no case
          to wait for ever is written `block_forever`"#]],
    );
    check_statement(
        "select { case lock m: }",
        expect![[r#"4:15 "lock": expected `recv` or `send`, found `lock`"#]],
    );
    check_statement(
        "select { default: default: }",
        expect![[r#"4:19 "default": this `select` has a `default` already"#]],
    );
    check_statement(
        "select { nop }",
        expect![[r#"4:10 "nop": expected `case recv`, `case send` or `default`, found `nop`"#]],
    );
    check_statement(
        "case recv ch:",
        expect![[r#"
        4:1 "case": there is no statement `case`
          `case` stands in `select` or `choose`"#]],
    );
    check_statement(
        "wg_add w x",
        expect![[r#"4:10 "x": expected the end of the statement, found `x`"#]],
    );
    check_statement(
        "barrier w",
        expect![[r#"4:9 "w": `barrier` takes a barrier, and `w` is a waitgroup"#]],
    );
    check_statement(
        "once m {}",
        expect![[r#"4:6 "m": `once` takes a once, and `m` is a mutex"#]],
    );
    check_statement(
        "park m",
        expect![[r#"4:6 "m": expected the end of the statement, found `m`"#]],
    );
    check_statement(
        "unpark crew",
        expect![[r#"
        4:8 "crew": `unpark` takes one thread, and there are 2 `crew`
          name one of them: `crew.1`"#]],
    );
    check_statement(
        "unpark t2",
        expect![[r#"4:8 "t2": there is no thread `t2`"#]],
    );
    check_statement(
        "spawn t",
        expect![[r#"
        4:7 "t": thread `t` starts at once, it cannot be spawned
          declare it `deferred thread t`"#]],
    );
    check_statement(
        "spawn later.1",
        expect![[r#"
        4:7 "later.1": there is no thread `later.1`
          did you mean `later`?"#]],
    );
    check_statement(
        "join crew.3",
        expect![[r#"
        4:6 "crew.3": there is no thread `crew.3`
          did you mean `crew`?"#]],
    );
    check_statement(
        "call nosuch",
        expect![[r#"4:6 "nosuch": there is no proc `nosuch`"#]],
    );
    check_statement("call m", expect![[r#"4:6 "m": there is no proc `m`"#]]);
}

#[test]
fn statements_of_variables_and_control() {
    check_statement(
        "totl += 1",
        expect![[r#"
        4:1 "totl": there is no var `totl`
          did you mean `total`?"#]],
    );
    check_statement(
        "true = 1",
        expect![[r#"
        4:1 "true": there is no var `true`
          write `1`"#]],
    );
    check_statement(
        "x == 1",
        expect![[r#"
        4:1 "x": there is no statement `x`
          `x` is an object: a statement begins with what is done to it"#]],
    );
    check_statement(
        "x = ",
        expect![[r#"5:1 "}": expected a number, a variable, `$x` or `(`, found `}`"#]],
    );
    check_statement(
        "$y 1",
        expect![[r#"4:4 "1": expected `=`, `+=` or `-=`, found `1`"#]],
    );
    check_statement(
        "$y",
        expect![[r#"4:3 "\n": expected `=`, `+=` or `-=`, found the end of the line"#]],
    );
    check_statement(
        "fetch_add x 1",
        expect![[r#"4:14 "\n": expected `$old` for the old value, found the end of the line"#]],
    );
    check_statement(
        "cas x 0 1",
        expect![[r#"4:10 "\n": expected `$ok` for the outcome, found the end of the line"#]],
    );
    check_statement(
        "atomic { lock m }",
        expect![[r#"
        4:10 "lock": expected an assignment, found `lock`
          `atomic` takes assignments only"#]],
    );
    check_statement(
        "await",
        expect![[
            r#"4:6 "\n": expected a number, a variable, `$x` or `(`, found the end of the line"#
        ]],
    );
    check_statement(
        "assert x = 1",
        expect![[r#"
        4:10 "=": expected an operator, found `=`
          `=` changes a variable; equality is written `==`"#]],
    );
    check_statement(
        "assert 1 < 2 < 3",
        expect![[r#"
        4:14 "<": comparisons do not chain
          write `a < b and b < c`, or brackets"#]],
    );
    check_statement(
        "assert (1",
        expect![[r#"5:1 "}": expected an operator or `)`, found `}`"#]],
    );
    check_statement(
        "assert 1 +",
        expect![[r#"5:1 "}": expected a number, a variable, `$x` or `(`, found `}`"#]],
    );
    check_statement(
        "assert true",
        expect![[r#"
        4:8 "true": there is no var `true`
          write `1`"#]],
    );
    check_statement(
        "assert x && 1",
        expect![[r#"
        4:10 "&": unexpected character `&`
          write `and`"#]],
    );
    check_statement(
        "assert !x",
        expect![[r#"
        4:8 "!": unexpected character `!`
          write `not`"#]],
    );
    check_statement(
        "panic",
        expect![[r#"4:6 "\n": expected the reason in double quotes, found the end of the line"#]],
    );
    check_statement(
        "panic reason",
        expect![[r#"4:7 "reason": expected the reason in double quotes, found `reason`"#]],
    );
    check_statement(
        "slow 5",
        expect![[r#"4:6 "5": expected the name of the call in double quotes, found `5`"#]],
    );
    check_statement(
        "if x nop",
        expect![[r#"4:6 "nop": expected `{`, found `nop`"#]],
    );
    check_statement(
        "if { }",
        expect![[r#"4:4 "{": expected a number, a variable, `$x` or `(`, found `{`"#]],
    );
    check_statement(
        "else { }",
        expect![[r#"
        4:1 "else": there is no statement `else`
          `else` follows the `}` of its `if`"#]],
    );
    check_statement(
        "while { }",
        expect![[r#"4:7 "{": expected a number, a variable, `$x` or `(`, found `{`"#]],
    );
    check_statement(
        "repeat x { }",
        expect![[r#"4:8 "x": expected a number of times, found `x`"#]],
    );
    check_statement(
        "repeat -1 { }",
        expect![[r#"4:8 "-1": -1 is not a number of times from 0 to 4294967295"#]],
    );
    check_statement(
        "break",
        expect![[r#"
        4:1 "break": `break` stands outside of any loop
          `return` ends the thread, or the proc"#]],
    );
    check_statement(
        "continue",
        expect![[r#"
        4:1 "continue": `continue` stands outside of any loop
          `return` ends the thread, or the proc"#]],
    );
    check_statement(
        "choose { }",
        expect![[r#"4:8 "{": this `choose` has no case"#]],
    );
    check_statement(
        "choose { nop }",
        expect![[r#"4:10 "nop": expected `case:`, found `nop`"#]],
    );
    check_statement(
        "lock m unlock m",
        expect![[r#"
        4:8 "unlock": expected the end of the statement, found `unlock`
          `;` separates statements on one line"#]],
    );
    check_statement(
        "nop // text",
        expect![[r#"
        4:5 "/": expected the end of the statement, found `/`
          a comment begins with `#`"#]],
    );
    check_statement(
        "mutex k",
        expect![[r#"
        4:1 "mutex": there is no statement `mutex`
          objects are declared outside of threads"#]],
    );
    check_statement(
        "title \"x\"",
        expect![[r#"
        4:1 "title": there is no statement `title`
          it stands outside of threads"#]],
    );
    check_statement(
        "m",
        expect![[r#"
        4:1 "m": there is no statement `m`
          `m` is an object: a statement begins with what is done to it"#]],
    );
    check_statement(
        "m lock",
        expect![[r#"
        4:1 "m": there is no statement `m`
          `m` is an object: a statement begins with what is done to it"#]],
    );
    check_statement(
        "5",
        expect![[r#"4:1 "5": expected a statement, found `5`"#]],
    );
    check_statement(
        "{ }",
        expect![[r#"4:1 "{": expected a statement, found `{`"#]],
    );
    check_statement(
        "return 1",
        expect![[r#"4:8 "1": expected the end of the statement, found `1`"#]],
    );
    check_statement(
        "assert 99999999999999999999",
        expect![[r#"4:8 "99999999999999999999": the number does not fit in 64 bits"#]],
    );
    check_statement(
        "$y = nosuch",
        expect![[r#"
        4:6 "nosuch": there is no var `nosuch`
          declare it: `var nosuch = 0`"#]],
    );
    check_statement(
        "$tmp = 1; $z = tmp",
        expect![[r#"
        4:16 "tmp": there is no var `tmp`
          did you mean `$tmp`?"#]],
    );
}
/// However deep, long or many: refused with a place, at once, and the stack stays small.
#[test]
fn what_is_too_much_is_refused_at_once() {
    let many = 100_000;
    let thread = |body: &str| format!("var x\nthread t {{\n{body}\n}}\n");
    let chain: String = (0..many)
        .map(|i| format!("proc p{i} {{ call p{} }}\n", i + 1))
        .collect();
    let names = |each: &dyn Fn(usize) -> String| (0..5000).map(each).collect::<String>();
    for (source, message) in [
        (
            names(&|i| format!("mutex m{i}\n")),
            "more than 4096 objects",
        ),
        (
            names(&|i| format!("proc p{i} {{}}\n")),
            "more than 4096 procs",
        ),
        (
            thread(&names(&|i| format!("$a{i} = 1\n"))),
            "more than 4096 local",
        ),
        (
            format!(
                "semaphore s = 1 fifo\n{}",
                thread(&names(&|i| format!("ticket s a{i}\n")))
            ),
            "more than 4096 tickets",
        ),
        (thread(&"loop {".repeat(many)), "nested more than 64"),
        (thread(&"{".repeat(many)), "expected a statement"),
        (
            thread(&"if x {} else ".repeat(many / 2)),
            "nested more than 64",
        ),
        (
            thread(&format!("assert {}", "(".repeat(many))),
            "nested more than 64",
        ),
        (
            thread(&format!("assert {}1", "not ".repeat(many))),
            "nested more than 64",
        ),
        (
            thread(&format!("assert {}1", "- ".repeat(many))),
            "nested more than 64",
        ),
        (
            thread(&format!("assert {}1", "1 + ".repeat(many))),
            "nested more than 128",
        ),
        (
            thread(&format!("assert {}1", "x and ".repeat(many))),
            "nested more than 128",
        ),
        (thread(&"nop\n".repeat(many)), "more than 65536 statements"),
        (
            format!("thread t * 60 {{ {} }}", "nop;".repeat(2000)),
            "more than 65536 statements",
        ),
        (
            format!("{chain}proc p{many} {{}}\nthread t {{}}"),
            "more than 1 MiB of text",
        ),
        (
            format!("{}proc p3999 {{}}\nthread t {{}}", &chain[..cut(&chain)]),
            "more than 64 deep",
        ),
        (
            format!("title \"{}\"", "x".repeat(10 << 20)),
            "more than 1 MiB of text",
        ),
        (
            format!("#{}", "x".repeat(10 << 20)),
            "more than 1 MiB of text",
        ),
        ("\0".repeat(10 << 20), "unexpected character U+0000"),
        ("lock ".repeat(2 << 20), "more than 1 MiB of text"),
        ("(".repeat(10 << 20), "more than 1 MiB of text"),
        ("é".repeat(5 << 20), "unexpected character `é`"),
        ("9".repeat(10 << 20), "more than 1 MiB of text"),
        ("\"".repeat(10 << 20), "the text is empty"),
    ] {
        let start = Instant::now();
        // The stack of a coroutine: the parser is called from such places too.
        let error = std::thread::Builder::new()
            .stack_size(1 << 20)
            .spawn(move || parse(&source).unwrap_err())
            .unwrap()
            .join()
            .unwrap();
        assert!(error.message().contains(message), "{message}: {error}");
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{message}: {:?}",
            start.elapsed()
        );
    }
}

/// A file as large as any may be is read, laid out and explained in a moment.
#[test]
fn large_files_take_no_longer_than_their_length() {
    let nops = "nop;".repeat(60_000);
    let deep = format!("{}{}", "loop {".repeat(60), "}".repeat(60));
    for source in [
        format!("thread t {{ {nops} }}"),
        format!("thread t {{ {} }}", deep.repeat(1000)),
        format!("thread t {{ {} }}", "if 1 { }\n\n\n".repeat(30_000)),
        format!("thread t {{ }}\n{}", "# comment\n".repeat(100_000)),
        format!("thread t {{ }}\n{}", " \n".repeat(5 << 20)),
        format!("thread t {{ }}\n{}", ";\r\n".repeat(3 << 20)),
        format!(
            "thread t {{ nop }}\n{}",
            (0..4000)
                .map(|i| format!("var v{i} = {i}\n"))
                .collect::<String>()
        ),
        format!(
            "proc p4000 {{}}\n{}thread t {{ call p0 }}",
            (0..60)
                .map(|i| format!(
                    "proc p{i} {{ call p{} }}\n",
                    if i == 59 { 4000 } else { i + 1 }
                ))
                .collect::<String>()
        ),
    ] {
        let start = Instant::now();
        let scenario = parse(&source).unwrap_or_else(|error| panic!("{error}"));
        let tidy = format(&source).unwrap();
        assert!(format(&tidy).as_ref() == Ok(&tidy), "it is laid out");
        assert!(!gordian::scenario::explain(&scenario).is_empty());
        assert!(
            start.elapsed() < Duration::from_secs(5),
            "{:?}",
            start.elapsed()
        );
    }
}

/// The calls of the first 3999 procs.
fn cut(chain: &str) -> usize {
    chain.find("proc p3999 ").unwrap()
}

/// Words, names, signs and line ends as they come.
fn soup() -> impl Strategy<Value = String> {
    let words = "thread proc deferred daemon mutex lock unlock rwlock read write semaphore acquire \
        channel send recv select case default choose if else while loop repeat break with once \
        barrier notify ticket await_ticket cas atomic await assert panic var expect title spawn \
        join call not and or m x t $a $b \"q r\" 0 1 18446744073709551616 { } { } ( ) : ; , . = \
        += -= == != <= + - * / % \n \n # \r\n \0 é";
    let words: Vec<&str> = words.split(' ').filter(|word| !word.is_empty()).collect();
    let word = prop::sample::select(words);
    prop::collection::vec((word, prop::sample::select(vec!["", " ", " "])), 0..80).prop_map(
        |words| {
            words
                .into_iter()
                .flat_map(|(word, blank)| [word, blank])
                .collect()
        },
    )
}

/// A scenario file with some of its bytes changed.
fn mutants() -> impl Strategy<Value = String> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/kernels");
    let mut files: Vec<_> = std::fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let bytes = "{}();:\"$#=-+* \nam01".chars().collect::<Vec<_>>();
    let change = (
        any::<prop::sample::Index>(),
        0..4_usize,
        prop::sample::select(bytes),
    );
    (
        prop::sample::select(files),
        prop::collection::vec(change, 1..6),
    )
        .prop_map(|(file, changes)| {
            let mut text: Vec<char> = std::fs::read_to_string(file).unwrap().chars().collect();
            for (at, removed, added) in changes {
                let at = at.index(text.len());
                let end = (at + removed).min(text.len());
                text.splice(at..end, [added]);
            }
            text.into_iter().collect()
        })
}

/// What is read is laid out and stays the same; what is not has a place inside of the text.
fn check_any(source: &str) {
    match parse(source) {
        Ok(_) => {
            let tidy = format(source).unwrap();
            assert_eq!(format(&tidy).as_deref(), Ok(tidy.as_str()), "{source}");
        }
        Err(first) => {
            let errors = parse_all(source).expect_err("both refuse it");
            assert_eq!(errors.first(), Some(&first), "{source}");
            assert!(errors.len() <= 10, "{}", errors.len());
            let places: Vec<u32> = errors.iter().map(|error| error.span().start).collect();
            assert!(places.is_sorted_by(|a, b| a < b), "{source}\n{errors:#?}");
            errors.iter().for_each(|error| check_error(source, error));
        }
    }
}

/// An error is inside of the text and says something.
fn check_error(source: &str, error: &ParseError) {
    let span = error.span();
    assert!(
        span.start <= span.end && span.end as usize <= source.len(),
        "{error}"
    );
    assert!(
        error.line() as usize <= source.split('\n').count(),
        "{error}"
    );
    let message = error.message();
    assert!(!message.is_empty() && !message.ends_with('.'), "{error}");
    assert!(!message.contains('\0'), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn any_text_has_an_answer(source in any::<String>()) {
        check_any(&source);
    }

    #[test]
    fn any_soup_has_an_answer(source in soup()) {
        check_any(&source);
    }

    #[test]
    fn any_mutant_has_an_answer(source in mutants()) {
        check_any(&source);
    }
}

/// Line and message of each error.
#[track_caller]
fn check_all(source: &str, expected: &[&str]) {
    let errors = parse_all(source).expect_err(source);
    let told: Vec<String> = errors
        .iter()
        .map(|error| format!("{}: {}", error.line(), error.message()))
        .collect();
    assert_eq!(told, expected, "{source}");
}

#[test]
fn each_wrong_statement_is_told_and_nothing_that_follows_from_one() {
    check_all(
        "mutex m\nthread t {\n    lok m\n    lock m; unlock n\n    if m {\n        nop\n    } else {\n        unlok m\n    }\n    unlock m\n}\nthread u { lock }\n",
        &[
            "3: there is no statement `lok`",
            "4: there is no mutex `n`",
            "5: an expression takes a var, and `m` is a mutex",
            "12: expected the name of a mutex, a lock or an rmutex, found `}`",
        ],
    );
    // What is in a block is read though what comes before it is wrong, and after it.
    check_all(
        "mutex m\nthread t {\n    with m {\n        lok m\n        loop {\n            unlok m\n        }\n    }\n    nop nop\n}\n",
        &[
            "4: there is no statement `lok`",
            "6: there is no statement `unlok`",
            "9: expected the end of the statement, found `nop`",
        ],
    );
    check_all(
        "channel ch\nthread t {\n    select {\n        case recv ch $v:\n            lok ch\n        case sned ch 1:\n            nop\n    }\n    unlok ch\n}\n",
        &[
            "5: there is no statement `lok`",
            "6: expected `recv` or `send`, found `sned`",
            "9: there is no statement `unlok`",
        ],
    );
}

#[test]
fn names_that_a_wrong_declaration_may_have_are_not_missed() {
    check_all(
        "mutx m\nmutex n\nthread t {\n    lock m\n    unlok m\n    lock n\n}\n",
        &[
            "1: expected a declaration or a thread, found `mutx`",
            "5: there is no statement `unlok`",
        ],
    );
    // Nobody declared it: once is enough.
    check_all(
        "thread t {\n    lock m\n    unlock m\n}\n",
        &["2: there is no mutex `m`"],
    );
    check_all(
        "mutex m\nthread t 2 {\n    lock m\n}\nthread u { join t; lok m }\n",
        &[
            "2: expected `{`, found `2`",
            "5: there is no statement `lok`",
        ],
    );
}

#[test]
fn a_brace_too_many_or_too_few_is_one_error() {
    check_all(
        "mutex m\nthread t {\n    lock m\n    }\n    unlock m\n    lock m\n}\nthread u { nop }\n",
        &["5: expected a declaration or a thread, found `unlock`"],
    );
    check_all(
        "mutex m\nthread t {\n    loop {\n        while 1 {\n            lock m\n",
        &["4: this `{` is never closed"],
    );
    check_all(
        "mutex m\nthread t {\n    loop {\n        lock m\n}\nthread u { lok m }\n",
        &[
            "6: expected a statement or `}`, found `thread`",
            "6: there is no statement `lok`",
        ],
    );
}

#[test]
fn there_are_at_most_ten() {
    let lines = "    lok m\n".repeat(30);
    let source = format!("mutex m\nthread t {{\n{lines}}}\n");
    assert_eq!(parse_all(&source).unwrap_err().len(), 10);
    let many = format!("thread t {{\n{}}}\n", "repeat 2 { nop\n".repeat(100));
    assert!(parse_all(&many).unwrap_err().len() <= 2);
}
