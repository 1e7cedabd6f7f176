//! Every statement and every object, in both directions, against answers worked out by hand.

mod common;

use common::{case, check};

#[test]
fn locks() {
    check(&[
        case(
            "mutex m, n
             thread a { lock m; lock n; unlock n; unlock m }
             thread b { lock n; lock m; unlock m; unlock n }",
            "deadlock",
            &["-", "a: lock n, b: lock m"],
        ),
        case(
            "mutex m, n
             thread a { lock m; lock n; unlock n; unlock m }
             thread b { lock m; lock n; unlock n; unlock m }",
            "",
            &["-"],
        ),
        case(
            "mutex m\nthread a { lock m; lock m }",
            "self-deadlock",
            &["a: lock m"],
        ),
        case(
            "lock m\nthread a { lock m; lock m }",
            "self-deadlock",
            &["a: lock m"],
        ),
        case(
            "rmutex m\nthread a { lock m; lock m; unlock m; unlock m; unlock m }",
            "double-release",
            &["-"],
        ),
        case(
            "rmutex m
             thread a { lock m; lock m; unlock m }
             thread b { lock m; unlock m }",
            "lost-wakeup (leaked-guard)",
            &["-", "b: lock m"],
        ),
        case(
            "rmutex m
             thread a { lock m; lock m; unlock m; unlock m }
             thread b { lock m; unlock m }",
            "",
            &["-"],
        ),
        case(
            "mutex m
             thread a { lock m; unlock m }
             thread b { unlock m }",
            "double-release foreign-release",
            &["-"],
        ),
        // Of a mutex, the release of another changes nothing; a lock is free afterwards.
        case(
            "mutex m; var x
             thread a { lock m; x = 1 }
             thread b { await x == 1; unlock m; lock m; unlock m }",
            "lost-wakeup foreign-release (leaked-guard)",
            &["x=1, b: lock m"],
        ),
        case(
            "lock m; var x
             thread a { lock m; x = 1 }
             thread b { await x == 1; unlock m; lock m; unlock m }",
            "(foreign-release) (leaked-guard)",
            &["x=1"],
        ),
        case("lock m\nthread a { unlock m }", "double-release", &["-"]),
    ]);
}

#[test]
fn tries_and_times() {
    check(&[
        case(
            "mutex m
             thread a { trylock m $ok; if $ok == 1 { unlock m } }
             thread b { trylock m $ok; if $ok == 1 { unlock m } }",
            "",
            &["a.$ok=1, b.$ok=1", "a.$ok=1", "b.$ok=1"],
        ),
        case(
            "mutex m\nthread a { lock m; trylock m $ok; unlock m }",
            "",
            &["-"],
        ),
        case(
            "rmutex m\nthread a { lock m; trylock m $ok; unlock m; unlock m }",
            "",
            &["a.$ok=1"],
        ),
        case(
            "mutex m\nthread a { lock m; timedlock m $ok; unlock m }",
            "",
            &["-"],
        ),
        case(
            "mutex m\nthread a { timedlock m $ok; unlock m }",
            "",
            &["a.$ok=1"],
        ),
        // It gives up only where it would have to wait, but may also come later.
        case(
            "mutex m
             thread a { timedlock m $ok; if $ok == 1 { unlock m } }
             thread b { lock m; unlock m }",
            "",
            &["-", "a.$ok=1"],
        ),
        case(
            "mutex m
             thread a { lock m; unlock m }
             thread b { locked m $r }",
            "",
            &["-", "b.$r=1"],
        ),
        case(
            "rmutex m\nthread a { lock m; locked m $r; unlock m; locked m $s }",
            "",
            &["a.$r=1"],
        ),
    ]);
}

#[test]
fn with_unlocks_on_every_way_out() {
    check(&[
        case(
            "mutex m\nthread a { with m { nop }; lock m; unlock m }",
            "",
            &["-"],
        ),
        case(
            "mutex m\nthread a { loop { with m { break } }; lock m; unlock m }",
            "",
            &["-"],
        ),
        case(
            "mutex m\nthread a { repeat 3 { with m { continue } }; lock m; unlock m }",
            "",
            &["-"],
        ),
        case(
            "mutex m, n
             proc p { with m { with n { loop { return } } } }
             thread a { call p; lock m; lock n; unlock n; unlock m }",
            "",
            &["-"],
        ),
        case(
            "mutex m, n
             proc p { repeat 2 { with n { panic \"p\" } } }
             thread a { with m { call p } }
             thread b { lock m; lock n; unlock n; unlock m }",
            "panic",
            &["-"],
        ),
        // The same without `with`.
        case(
            "mutex m
             thread a { lock m; panic \"p\" }
             thread b { lock m; unlock m }",
            "lost-wakeup panic (leaked-guard)",
            &["-", "b: lock m"],
        ),
        case(
            "mutex m\nthread a { with m { unlock m } }",
            "double-release",
            &["-"],
        ),
        case(
            "mutex m\nthread a { with m { with m { nop } } }",
            "self-deadlock",
            &["a: with m"],
        ),
    ]);
}

#[test]
fn rwlocks() {
    check(&[
        case(
            "rwlock r; barrier b = 2
             thread a { read r; barrier b; unlock r }
             thread c { read r; barrier b; unlock r }",
            "",
            &["-"],
        ),
        case(
            "rwlock r; barrier b = 2
             thread a { write r; barrier b; unlock r }
             thread c { write r; barrier b; unlock r }",
            "deadlock",
            &["a: barrier b…, c: write r…", "a: write r…, c: barrier b…"],
        ),
        case(
            "rwlock r\nthread a { read r; write r }",
            "self-deadlock",
            &["a: write r…"],
        ),
        case(
            "rwlock r reader_preferring\nthread a { read r; write r }",
            "self-deadlock",
            &["a: write r"],
        ),
        case(
            "rwlock r\nthread a { write r; read r }",
            "self-deadlock",
            &["a: read r"],
        ),
        case(
            "rwlock r fifo\nthread a { write r; read r }",
            "self-deadlock",
            &["a: read r…"],
        ),
        case(
            "rwlock r\nthread a { read r; unlock r; unlock r }",
            "panic",
            &["-"],
        ),
        case("rwlock r\nthread a { read r }", "(leaked-guard)", &["-"]),
        // The second read of a thread, and who goes first.
        case(
            "rwlock r
             thread a { read r; read r; unlock r; unlock r }
             thread b { write r; unlock r }",
            "deadlock",
            &["-", "a: read r, b: write r…"],
        ),
        case(
            "rwlock r fifo
             thread a { read r; read r; unlock r; unlock r }
             thread b { write r; unlock r }",
            "deadlock",
            &["-", "a: read r…, b: write r…"],
        ),
        case(
            "rwlock r reader_preferring
             thread a { read r; read r; unlock r; unlock r }
             thread b { write r; unlock r }",
            "",
            &["-"],
        ),
        // A reader that comes later.
        case(
            "rwlock r; var x, y
             thread a { read r; x = 1; await y == 1; unlock r }
             thread b { await x == 1; write r; unlock r }
             thread c { await x == 1; read r; y = 1; unlock r }",
            "lost-wakeup",
            &["x=1, y=1", "x=1, a: await y == 1, b: write r…, c: read r"],
        ),
        case(
            "rwlock r fifo; var x, y
             thread a { read r; x = 1; await y == 1; unlock r }
             thread b { await x == 1; write r; unlock r }
             thread c { await x == 1; read r; y = 1; unlock r }",
            "lost-wakeup",
            &["x=1, y=1", "x=1, a: await y == 1, b: write r…, c: read r…"],
        ),
        case(
            "rwlock r reader_preferring; var x, y
             thread a { read r; x = 1; await y == 1; unlock r }
             thread b { await x == 1; write r; unlock r }
             thread c { await x == 1; read r; y = 1; unlock r }",
            "",
            &["x=1, y=1"],
        ),
    ]);
}

#[test]
fn tries_of_rwlocks() {
    check(&[
        case(
            "rwlock r
             thread a { read r; tryread r $ok; if $ok == 1 { unlock r }; unlock r }
             thread b { write r; unlock r }",
            "",
            &["-", "a.$ok=1"],
        ),
        case(
            "rwlock r reader_preferring
             thread a { read r; tryread r $ok; if $ok == 1 { unlock r }; unlock r }
             thread b { write r; unlock r }",
            "",
            &["a.$ok=1"],
        ),
        case(
            "rwlock r\nthread a { write r; tryread r $ok; trywrite r $w; unlock r }",
            "",
            &["-"],
        ),
        case(
            "rwlock r\nthread a { read r; trywrite r $ok; unlock r }",
            "",
            &["-"],
        ),
        case(
            "rwlock r\nthread a { trywrite r $ok; unlock r; tryread r $k; unlock r }",
            "",
            &["a.$ok=1, a.$k=1"],
        ),
    ]);
}

#[test]
fn upgrades_and_downgrades() {
    check(&[
        case(
            "rwlock r
             thread a { upgradable r; upgrade r; unlock r }
             thread b { read r; unlock r }
             thread c { upgradable r; upgrade r; unlock r }",
            "",
            &["-"],
        ),
        // Two readers that want to write, without the upgradable hold.
        case(
            "rwlock r
             thread a { read r; write r; unlock r; unlock r }
             thread b { read r; write r; unlock r; unlock r }",
            "self-deadlock",
            &[
                "a: write r…, b: write r…",
                "a: write r…, b: read r",
                "a: read r, b: write r…",
            ],
        ),
        case(
            "rwlock r
             thread a { upgradable r; upgrade r; unlock r }
             thread b { read r; read r; unlock r; unlock r }",
            "deadlock",
            &["-", "a: upgrade r…, b: read r"],
        ),
        case(
            "rwlock r reader_preferring
             thread a { upgradable r; upgrade r; unlock r }
             thread b { read r; read r; unlock r; unlock r }",
            "",
            &["-"],
        ),
        case(
            "rwlock r\nthread a { read r; upgradable r; upgrade r }",
            "self-deadlock",
            &["a: upgrade r…"],
        ),
        case(
            "rwlock r reader_preferring\nthread a { read r; upgradable r; upgrade r }",
            "self-deadlock",
            &["a: upgrade r"],
        ),
        case(
            "rwlock r\nthread a { upgradable r; upgradable r }",
            "self-deadlock",
            &["a: upgradable r"],
        ),
        case(
            "rwlock r\nthread a { read r; upgrade r }",
            "panic (leaked-guard)",
            &["-"],
        ),
        case(
            "rwlock r\nthread a { read r; downgrade r }",
            "panic (leaked-guard)",
            &["-"],
        ),
        // The latest hold is given back.
        case(
            "rwlock r\nthread a { upgradable r; read r; unlock r; upgrade r; unlock r }",
            "",
            &["-"],
        ),
        case(
            "rwlock r\nthread a { read r; upgradable r; unlock r; upgrade r }",
            "panic (leaked-guard)",
            &["-"],
        ),
        // In a fifo queue an upgrade goes to the front: the writer before it could never go.
        case(
            "rwlock r fifo; var x
             thread a { upgradable r; x = 1; upgrade r; unlock r }
             thread b { await x == 1; write r; unlock r }
             thread c { read r; unlock r }",
            "",
            &["x=1"],
        ),
        case(
            "rwlock r; barrier b = 2
             thread a { write r; downgrade r; barrier b; unlock r }
             thread c { read r; barrier b; unlock r }",
            "deadlock",
            &["-", "a: write r…, c: barrier b…"],
        ),
        case(
            "rwlock r fifo; var x, y
             thread a { write r; x = 1; downgrade r; await y == 1; unlock r }
             thread c { await x == 1; read r; y = 1; unlock r }",
            "",
            &["x=1, y=1"],
        ),
        case(
            "rwlock r fifo; var x, y
             thread a { write r; x = 1; await y == 1; unlock r }
             thread c { await x == 1; read r; y = 1; unlock r }",
            "lost-wakeup",
            &["x=1, a: await y == 1, c: read r…"],
        ),
    ]);
}

#[test]
fn condvars() {
    check(&[
        case(
            "mutex m; condvar c; var x
             thread a { lock m; while x == 0 { wait c m }; unlock m }
             thread b { lock m; x = 1; notify_one c; unlock m }",
            "",
            &["x=1"],
        ),
        case(
            "mutex m; condvar c
             thread a { lock m; wait c m; unlock m }
             thread b { notify_one c }",
            "lost-wakeup",
            &["-", "a: wait c m…"],
        ),
        case(
            "mutex m; condvar c spurious
             thread a { lock m; wait c m; unlock m }",
            "",
            &["-"],
        ),
        case(
            "mutex m; condvar c
             thread a { lock m; timedwait c m $t; unlock m }
             thread b { notify_one c }",
            "",
            &["-", "a.$t=1"],
        ),
        case("mutex m; condvar c\nthread a { wait c m }", "panic", &["-"]),
        case(
            "mutex m; condvar c; var x
             thread a { lock m; x = 1; await x == 2; unlock m }
             thread b { await x == 1; x = 2; wait c m }",
            "panic",
            &["x=2"],
        ),
        // Whom a notification wakes: anyone, or the one that has waited longest.
        case(
            "mutex m; condvar c; var n, who
             thread a { lock m; n += 1; wait c m; who = 1; unlock m }
             thread b { await n == 1; lock m; n += 1; wait c m; who = 2; unlock m }
             thread s { await n == 2; lock m; notify_one c; unlock m }",
            "lost-wakeup",
            &["n=2, who=1, b: wait c m…", "n=2, who=2, a: wait c m…"],
        ),
        case(
            "mutex m; condvar c fifo; var n, who
             thread a { lock m; n += 1; wait c m; who = 1; unlock m }
             thread b { await n == 1; lock m; n += 1; wait c m; who = 2; unlock m }
             thread s { await n == 2; lock m; notify_one c; unlock m }",
            "lost-wakeup",
            &["n=2, who=1, b: wait c m…"],
        ),
        case(
            "mutex m; condvar c; var n, who
             thread a { lock m; n += 1; wait c m; who = 1; unlock m }
             thread b { await n == 1; lock m; n += 1; wait c m; who = 2; unlock m }
             thread s { await n == 2; lock m; notify_all c; unlock m }",
            "",
            &["n=2, who=1", "n=2, who=2"],
        ),
        // A reentrant lock is given back wholly.
        case(
            "rmutex m; condvar c; var n
             thread a { lock m; lock m; n = 1; wait c m; unlock m; locked m $h; unlock m }
             thread b { await n == 1; lock m; notify_one c; unlock m }",
            "",
            &["n=1, a.$h=1"],
        ),
        case(
            "lock m; condvar c; var n
             thread a { lock m; n = 1; wait c m; unlock m }
             thread b { await n == 1; lock m; notify_one c; join a; unlock m }",
            "deadlock",
            &["n=1, a: wait c m…, b: join a"],
        ),
        case(
            "lock m; condvar c; var n
             thread a { lock m; n = 1; wait c m; unlock m }
             thread b { await n == 1; lock m; notify_one c; unlock m; join a }",
            "",
            &["n=1"],
        ),
    ]);
}

#[test]
fn semaphores() {
    check(&[
        case(
            "semaphore s = 1; var x
             thread a { acquire s; $r = x; x = $r + 1; release s }
             thread b { acquire s; $r = x; x = $r + 1; release s }",
            "",
            &["x=2, a.$r=1", "x=2, b.$r=1"],
        ),
        case(
            "semaphore s = 1\nthread a { acquire s; acquire s; release s 2 }",
            "self-deadlock",
            &["a: acquire s"],
        ),
        case(
            "semaphore s = 2\nthread a { acquire s; acquire s; release s 2 }",
            "",
            &["-"],
        ),
        case(
            "semaphore s = 0\nthread a { acquire s }",
            "lost-wakeup",
            &["a: acquire s"],
        ),
        case(
            "semaphore s = 0 fifo\nthread a { acquire s }",
            "lost-wakeup",
            &["a: acquire s…"],
        ),
        case(
            "semaphore s = 1, t = 1
             thread a { acquire s; acquire t; release t; release s }
             thread b { acquire t; acquire s; release s; release t }",
            "deadlock",
            &["-", "a: acquire t, b: acquire s"],
        ),
        // A large request is overtaken by a small one, unless fifo.
        case(
            "semaphore s = 2; var x, y
             thread a { acquire s; x = 1; await y == 1; release s }
             thread b { await x == 1; acquire s 2; release s 2 }
             thread c { await x == 1; acquire s; y = 1; release s }",
            "",
            &["x=1, y=1"],
        ),
        case(
            "semaphore s = 2 fifo; var x, y
             thread a { acquire s; x = 1; await y == 1; release s }
             thread b { await x == 1; acquire s 2; release s 2 }
             thread c { await x == 1; acquire s; y = 1; release s }",
            "lost-wakeup",
            &[
                "x=1, y=1",
                "x=1, a: await y == 1, b: acquire s 2…, c: acquire s…",
            ],
        ),
        case(
            "semaphore s = 2 fifo; var x, y
             thread a { acquire s; x = 1; await y == 1; release s }
             thread b { await x == 1; acquire s 2; release s 2 }
             thread c { await x == 1; tryacquire s $ok; y = 1; if $ok == 1 { release s } }",
            "",
            &["x=1, y=1", "x=1, y=1, c.$ok=1"],
        ),
        case(
            "semaphore s = 1 max 1\nthread a { release s }",
            "panic",
            &["-"],
        ),
        case(
            "semaphore s = 1 max 1\nthread a { acquire s; release s }",
            "",
            &["-"],
        ),
        case(
            "semaphore s = 1\nthread a { tryacquire s $a; tryacquire s $b }",
            "",
            &["a.$a=1"],
        ),
    ]);
}

#[test]
fn tickets() {
    check(&[
        case(
            "semaphore s = 1 fifo
             thread a { acquire s; ticket s f; ticket s g; release s;
                        await_ticket s g; release s }",
            "lost-wakeup",
            &["a: await_ticket s g"],
        ),
        case(
            "semaphore s = 1 fifo
             thread a { acquire s; ticket s f; ticket s g; release s;
                        drop_ticket s f; await_ticket s g; release s }",
            "",
            &["-"],
        ),
        case(
            "semaphore s = 1 fifo
             thread a { ticket s f; drop_ticket s f; drop_ticket s f;
                        tryacquire s $a; tryacquire s $b }",
            "",
            &["a.$a=1"],
        ),
        case(
            "semaphore s = 1 fifo
             thread a { ticket s f; await_ticket s f; tryacquire s $ok }",
            "",
            &["-"],
        ),
        case(
            "semaphore s = 2 fifo\nthread a { ticket s f; ticket s f }",
            "panic",
            &["-"],
        ),
        case(
            "semaphore s = 1 fifo
             thread a { ticket s f; await_ticket s f; await_ticket s f }",
            "panic",
            &["-"],
        ),
        // A queued request that is dropped lets those behind it in.
        case(
            "semaphore s = 2 fifo; var x
             thread a { acquire s; x = 1; join c; release s }
             thread b { await x == 1; ticket s f 2; drop_ticket s f }
             thread c { acquire s; release s }",
            "",
            &["x=1"],
        ),
        case(
            "semaphore s = 2 fifo; var x
             thread a { acquire s; x = 1; join c; release s }
             thread b { await x == 1; ticket s f 2 }
             thread c { acquire s; release s }",
            "deadlock",
            &["x=1", "x=1, a: join c, c: acquire s…"],
        ),
    ]);
}

#[test]
fn channels() {
    check(&[
        case(
            "channel c = 1\nthread a { send c 1; send c 2 }",
            "lost-wakeup",
            &["a: send c 2"],
        ),
        case("channel c\nthread a { send c 1; send c 2 }", "", &["-"]),
        case(
            "channel c
             thread a { send c 1; send c 2; close c }
             thread b { recv c $v; recv c $w $k; recv c $z $ok }",
            "",
            &["b.$v=1, b.$w=2, b.$k=1"],
        ),
        case(
            "channel c = 1
             thread a { send c 1; send c 2; close c }
             thread b { recv c $v; recv c $w $k; recv c $z $ok }",
            "",
            &["b.$v=1, b.$w=2, b.$k=1"],
        ),
        case(
            "channel c = 0
             thread a { send c 1; send c 2; close c }
             thread b { recv c $v; recv c $w $k; recv c $z $ok }",
            "",
            &["b.$v=1, b.$w=2, b.$k=1"],
        ),
        case("channel c\nthread a { close c; send c 1 }", "panic", &["-"]),
        case(
            "channel c\nthread a { $ok = 7; close c; send c 1 $ok }",
            "",
            &["-"],
        ),
        case("channel c\nthread a { close c; close c }", "panic", &["-"]),
        case(
            "channel c\nthread a { send c 1; drop_rx c; recv c $v $ok }",
            "",
            &["-"],
        ),
        case(
            "channel c\nthread a { drop_rx c; send c 1 }",
            "panic",
            &["-"],
        ),
        case(
            "channel c = 0\nthread a { $ok = 7; drop_rx c; send c 1 $ok }",
            "",
            &["-"],
        ),
        case(
            "channel c = 0\nthread a { send c 1; recv c }",
            "lost-wakeup",
            &["a: send c 1…"],
        ),
        case(
            "channel c = 0, d = 0
             thread a { send c 1; recv d }
             thread b { send d 1; recv c }",
            "deadlock",
            &["a: send c 1…, b: send d 1…"],
        ),
        case(
            "channel c = 0, d = 0
             thread a { send c 1; recv d }
             thread b { recv c $v; send d 1 }",
            "",
            &["b.$v=1"],
        ),
        case(
            "channel c = 0\nthread a { recv c $v $ok }\nthread b { close c }",
            "",
            &["-"],
        ),
        case(
            "channel c = 0\nthread a { send c }\nthread b { close c }",
            "panic",
            &["-"],
        ),
        case(
            "channel c = 0\nthread a { $ok = 7; send c 1 $ok }\nthread b { drop_rx c }",
            "",
            &["-"],
        ),
        // Who has met a partner is not harmed by what comes after.
        case(
            "channel c = 0
             thread a { send c 3 }
             thread b { recv c $v $ok; close c }",
            "",
            &["b.$v=3, b.$ok=1"],
        ),
        // A shared value is read before there is room for it.
        case(
            "channel c = 1; var x
             thread a { send c x; recv c $v }
             thread b { x = 1 }",
            "",
            &["x=1", "x=1, a.$v=1"],
        ),
        case(
            "channel c = 1; var x
             thread a { send c 5; send c x }
             thread b { x = 1; recv c; recv c $v }",
            "",
            &["x=1", "x=1, b.$v=1"],
        ),
        // First come, first met.
        case(
            "channel c = 0; var n
             daemon thread a { n = 1; send c 1 }
             daemon thread b { await n == 1; send c 2 }
             thread r { recv c $v }",
            "",
            &["n=1, r.$v=1, b: send c 2…", "n=1, r.$v=2, a: send c 1…"],
        ),
    ]);
}

#[test]
fn selects() {
    check(&[
        case(
            "channel c = 1; var x
             thread a { select { case recv c $v: x = 1; default: x = 2 } }
             thread b { send c 5 }",
            "",
            &["x=1, a.$v=5", "x=2"],
        ),
        case(
            "channel c = 1, d = 1; var x
             thread a { send c 1; send d 2;
                        select { case recv c $v: ; case recv d $v: ; default: x = 1 } }",
            "",
            &["a.$v=1", "a.$v=2"],
        ),
        case(
            "channel c = 1\nthread a { select { case recv c: } }",
            "lost-wakeup",
            &["a: select"],
        ),
        case(
            "channel c = 0\nthread a { select { case recv c: } }",
            "lost-wakeup",
            &["a: select…"],
        ),
        case(
            "channel c = 0\nthread a { select { case recv c: ; case send c 1: } }",
            "lost-wakeup",
            &["a: select…"],
        ),
        case(
            "channel c = 0, d = 0; var x, y
             thread a { select { case send c 1: x = 1; case recv d $v: x = 2 } }
             thread b { select { case send d 2: y = 1; case recv c $w: y = 2 } }",
            "",
            &["x=1, y=2, b.$w=1", "x=2, y=1, a.$v=2"],
        ),
        case(
            "channel c = 0, d = 0
             thread a { select { case recv c $v: ; case recv d $w: } }
             thread b { send c 1 }
             thread e { send d 2 }",
            "lost-wakeup",
            &["a.$v=1, e: send d 2…", "a.$w=2, b: send c 1…"],
        ),
        case(
            "channel c = 0, d = 1
             thread a { select { case recv c $v: ; case recv d $w: } }
             thread b { send c 1 }
             thread e { send d 2 }",
            "lost-wakeup",
            &["a.$v=1", "a.$w=2, b: send c 1…"],
        ),
        // A default is taken though a partner is on its way.
        case(
            "channel c = 0; var x
             thread a { select { case recv c $v: ; default: x = 1 } }
             daemon thread b { send c 1 }",
            "",
            &["a.$v=1", "x=1, b: send c 1…"],
        ),
        case(
            "channel c = 0, d = 0
             thread a { select { case recv c $v $ok: ; case recv d: } }
             thread b { close c }",
            "",
            &["-"],
        ),
        case(
            "channel c = 0\nthread a { select { case send c 1: } }\nthread b { close c }",
            "panic",
            &["-"],
        ),
        case(
            "channel c = 1\nthread a { close c; select { case send c 1 $ok: ; default: $ok = 5 } }",
            "",
            &["-"],
        ),
    ]);
}

#[test]
fn groups_barriers_and_onces() {
    check(&[
        case(
            "waitgroup w; var x
             thread a { wg_add w 2; spawn b; spawn c; wg_wait w; $r = x }
             deferred thread b { x += 1; wg_done w }
             deferred thread c { x += 1; wg_done w }",
            "",
            &["x=2, a.$r=2"],
        ),
        case(
            "waitgroup w = 1\nthread a { wg_wait w }",
            "lost-wakeup",
            &["a: wg_wait w"],
        ),
        case(
            "waitgroup w = 1\nthread a { wg_done w; wg_wait w; wg_done w }",
            "panic",
            &["-"],
        ),
        case(
            "waitgroup w = 1\nthread a { wg_wait w; wg_done w }\nthread b { nop }",
            "lost-wakeup",
            &["a: wg_wait w"],
        ),
        case(
            "barrier b = 2; var x
             thread a { repeat 2 { barrier b; x += 1 } }
             thread c { repeat 2 { barrier b; x += 1 } }",
            "",
            &["x=4"],
        ),
        case(
            "barrier b = 2\nthread a { barrier b }",
            "lost-wakeup",
            &["a: barrier b…"],
        ),
        case("barrier b = 1\nthread a { barrier b }", "", &["-"]),
        // The third waits for a round that never fills.
        case(
            "barrier b = 2; var x
             thread a * 3 { barrier b }",
            "lost-wakeup",
            &["a.1: barrier b…", "a.2: barrier b…", "a.3: barrier b…"],
        ),
        case(
            "once o; var x\nthread a * 3 { once o { x += 1 } }",
            "",
            &["x=1"],
        ),
        case(
            "once o; var x, y, z
             thread a { once o { x = 1; await y == 1 } }
             thread b { await x == 1; y = 1; once o { z = 1 } }",
            "",
            &["x=1, y=1"],
        ),
        case(
            "once o\nthread a { once o { once o { nop } } }",
            "self-deadlock",
            &["a: once o"],
        ),
        case(
            "once o; mutex m
             thread a { once o { lock m; unlock m } }
             thread b { lock m; once o { nop }; unlock m }",
            "deadlock",
            &["-", "a: lock m, b: once o"],
        ),
        case(
            "once o; mutex m
             thread a { once o { nop }; lock m; unlock m }
             thread b { lock m; once o { nop }; unlock m }",
            "",
            &["-"],
        ),
        case(
            "once o; var x
             thread a { once o { panic \"p\" } }
             thread b { once o { x = 1 } }",
            "panic",
            &["-", "x=1"],
        ),
        case(
            "once o; var x\nthread a { loop { once o { break } }; once o { x = 1 } }",
            "",
            &["-"],
        ),
    ]);
}

#[test]
fn notifies() {
    check(&[
        case("notify n\nthread a { notify n; wait_notify n }", "", &["-"]),
        case(
            "notify n\nthread a { wait_notify n }",
            "lost-wakeup",
            &["a: wait_notify n…"],
        ),
        case(
            "notify n\nthread a { notify n; notify n; wait_notify n; wait_notify n }",
            "lost-wakeup",
            &["a: wait_notify n…"],
        ),
        case(
            "notify n\nthread a { notify_waiters n; wait_notify n }",
            "lost-wakeup",
            &["a: wait_notify n…"],
        ),
        case(
            "notify n; var x
             thread a { enable_notify n; x = 1; wait_notify n }
             thread b { await x == 1; notify_waiters n }",
            "",
            &["x=1"],
        ),
        case(
            "notify n; var x
             thread a { x = 1; wait_notify n }
             thread b { await x == 1; notify_waiters n }",
            "lost-wakeup",
            &["x=1", "x=1, a: wait_notify n…"],
        ),
        // What is dropped goes to the next, or is kept.
        case(
            "notify n; var x, y
             thread a { enable_notify n; x = 1; await y == 1; drop_notify n }
             thread b { await x == 1; enable_notify n; x = 2; wait_notify n }
             thread s { await x == 2; notify n; y = 1 }",
            "",
            &["x=2, y=1"],
        ),
        case(
            "notify n; var x, y
             thread a { enable_notify n; x = 1; await y == 1; drop_notify n; wait_notify n }
             thread s { await x == 1; notify n; y = 1 }",
            "",
            &["x=1, y=1"],
        ),
        case(
            "notify n; var x, y
             thread a { enable_notify n; x = 1; await y == 1; drop_notify n; wait_notify n }
             thread s { await x == 1; notify_waiters n; y = 1 }",
            "lost-wakeup",
            &["x=1, y=1, a: wait_notify n…"],
        ),
        case(
            "notify n\nthread a { notify n; enable_notify n; drop_notify n; wait_notify n }",
            "lost-wakeup",
            &["a: wait_notify n…"],
        ),
        // First come, first served.
        case(
            "notify n; var x, who
             thread a { enable_notify n; x = 1; wait_notify n; who = 1 }
             thread b { await x == 1; enable_notify n; x = 2; wait_notify n; who = 2 }
             thread s { await x == 2; notify n }",
            "lost-wakeup",
            &["x=2, who=1, b: wait_notify n…"],
        ),
    ]);
}

#[test]
fn threads() {
    check(&[
        case("thread a { park }\nthread b { unpark a }", "", &["-"]),
        case("thread a { park }", "lost-wakeup", &["a: park"]),
        case(
            "thread a { park; park }\nthread b { unpark a; unpark a }",
            "lost-wakeup",
            &["-", "a: park"],
        ),
        case("thread a { unpark a; park }", "", &["-"]),
        case(
            "thread a { unpark d; spawn d }\ndeferred thread d { park }",
            "",
            &["-"],
        ),
        case(
            "thread a { spawn d; spawn d }\ndeferred thread d { nop }",
            "panic",
            &["-"],
        ),
        case(
            "thread a { nop }\ndeferred thread d { park }",
            "",
            &["d: not started"],
        ),
        case(
            "thread a { join d }\ndeferred thread d { nop }",
            "lost-wakeup",
            &["a: join d, d: not started"],
        ),
        case("thread a { join a }", "self-deadlock", &["a: join a"]),
        case(
            "thread a { join b }\nthread b { join a }",
            "deadlock",
            &["a: join b, b: join a"],
        ),
        case("thread a { join b }\nthread b { nop }", "", &["-"]),
        case(
            "daemon thread d { park }\nthread a { nop }",
            "",
            &["d: park"],
        ),
        case(
            "daemon thread d { park }\nthread a { join d }",
            "lost-wakeup",
            &["d: park, a: join d"],
        ),
        case(
            "var x
             deferred thread w * 3 { x += 1 }
             thread a { spawn w; join w; $r = x }",
            "",
            &["x=3, a.$r=3"],
        ),
        case(
            "thread a { block_forever }",
            "lost-wakeup",
            &["a: block_forever"],
        ),
        case(
            "daemon thread a { block_forever }",
            "",
            &["a: block_forever"],
        ),
        case("thread a { nop; yield }", "", &["-"]),
    ]);
}

#[test]
fn variables() {
    check(&[
        case(
            "var x
             thread a { $r = x; x = $r + 1 }
             thread b { $r = x; x = $r + 1 }",
            "",
            &["x=1", "x=2, a.$r=1", "x=2, b.$r=1"],
        ),
        case(
            "var x\nthread a { x += 1 }\nthread b { x += 1 }",
            "",
            &["x=2"],
        ),
        case(
            "var x = 5\nthread a { fetch_add x -2 $old }",
            "",
            &["x=3, a.$old=5"],
        ),
        case(
            "var x
             thread a { cas x 0 1 $ok }
             thread b { cas x 0 2 $ok }",
            "",
            &["x=1, a.$ok=1", "x=2, b.$ok=1"],
        ),
        case(
            "var x, y
             thread a { atomic { x = 1; y = 1 } }
             thread b { assert x == y }",
            "",
            &["x=1, y=1"],
        ),
        case(
            "var x, y
             thread a { x = 1; y = 1 }
             thread b { assert x == y }",
            "panic",
            &["x=1, y=1"],
        ),
        case(
            "var x\nthread a { await x == 1 }\nthread b { x = 1 }",
            "",
            &["x=1"],
        ),
        case(
            "var x\nthread a { await x == 1 }\nthread b { x = 2 }",
            "lost-wakeup",
            &["x=2, a: await x == 1"],
        ),
        // A value that is there for a moment only may be missed.
        case(
            "var x\nthread a { await x == 1 }\nthread b { x = 1; x = 2 }",
            "lost-wakeup",
            &["x=2", "x=2, a: await x == 1"],
        ),
        case("var x\nthread a { x = 1 / x }", "panic", &["-"]),
        case("thread a { $x = 1 % $x }", "panic", &["-"]),
        case(
            "var x = 9223372036854775807, y\nthread a { atomic { y = 1; x += 1 } }",
            "panic",
            &["x=9223372036854775807, y=1"],
        ),
        case(
            "var x = 7, y
             thread a { y = 0 - x / 2 % 2 * 3 + (x >= 7) + (not x) + (x == 7 and 0 or 1) }",
            "",
            &["x=7, y=-1"],
        ),
    ]);
}

#[test]
fn control() {
    check(&[
        case("var x\nthread a { repeat 3 { x += 1 } }", "", &["x=3"]),
        case("var x\nthread a { repeat 0 { x += 1 } }", "", &["-"]),
        case(
            "var x\nthread a { repeat 2 { repeat 3 { x += 1; if x == 2 { break } } } }",
            "",
            &["x=5"],
        ),
        case(
            "var x\nthread a { while x < 4 { x += 1; if x == 1 { continue }; x += 1 } }",
            "",
            &["x=5"],
        ),
        case(
            "var x\nthread a { loop { x += 1; if x == 3 { return } } }",
            "",
            &["x=3"],
        ),
        case(
            "var x
             proc p { x += 1; if x == 2 { return }; x += 10 }
             thread a { call p; call p }",
            "",
            &["x=22"],
        ),
        case(
            "var x
             proc p { x += 1; return; x = 9 }
             proc q { call p; call p }
             thread a { repeat 2 { call q } }",
            "",
            &["x=4"],
        ),
        case(
            "var x
             thread a { choose { case: x = 1; case: x = 2; case: } }",
            "",
            &["-", "x=1", "x=2"],
        ),
        case(
            "var x\nthread a { if x == 0 { x = 1 } else if x == 1 { x = 2 } else { x = 3 } }",
            "",
            &["x=1"],
        ),
        case(
            "thread a { $i = 5; while $i > 0 { $i -= 1 }; if $i == 0 { $r = 1 } }",
            "",
            &["a.$r=1"],
        ),
        // A choice that may be made again and again.
        case(
            "thread a { loop { choose { case: break; case: } } }",
            "",
            &["-"],
        ),
        case(
            "thread a { loop { $n += 1; if $n == 3 { break }; choose { case: break; case: } } }",
            "",
            &["a.$n=1", "a.$n=2", "a.$n=3"],
        ),
    ]);
}

#[test]
fn slow_calls() {
    check(&[
        case(
            "mutex m\nthread a { lock m; slow \"s\"; unlock m }",
            "slow-under-lock",
            &["-"],
        ),
        case(
            "mutex m\nthread a { lock m; unlock m; slow \"s\" }",
            "",
            &["-"],
        ),
        case(
            "rwlock r\nthread a { read r; slow \"s\"; unlock r }",
            "slow-under-lock",
            &["-"],
        ),
        case(
            "semaphore s = 1\nthread a { acquire s; slow \"s\"; release s }",
            "",
            &["-"],
        ),
        case(
            "mutex m; condvar c spurious\nthread a { with m { wait c m }; slow \"s\" }",
            "",
            &["-"],
        ),
    ]);
}

#[test]
fn programs_without_an_end() {
    check(&[
        case("thread a { loop { nop } }", "starvation", &[]),
        case("daemon thread a { loop { nop } }", "", &[]),
        case(
            "var x\nthread a { while x == 0 { nop } }\nthread b { x = 1 }",
            "",
            &["x=1"],
        ),
        case(
            "var x\nthread a { while x == 0 { nop } }",
            "starvation",
            &[],
        ),
        // Two are stuck beside one that runs for ever.
        case(
            "mutex m, n; var x
             thread a { lock m; lock n; unlock n; unlock m }
             thread b { lock n; lock m; unlock m; unlock n }
             daemon thread c { loop { x = 1 - x } }",
            "deadlock",
            &[],
        ),
        case(
            "mutex m; condvar c
             thread a { lock m; wait c m; unlock m }
             daemon thread b { loop { nop } }",
            "lost-wakeup",
            &[],
        ),
        // It is woken again and again.
        case(
            "mutex m; condvar c
             thread a { lock m; wait c m; unlock m }
             daemon thread b { loop { notify_one c } }",
            "",
            &[],
        ),
    ]);
}
