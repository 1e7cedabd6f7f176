//! What operations are called, for people.

use crate::op::{Action, How, Kind, Op};

/// The operation's name; that of a raw lock's operations is Python's.
pub(crate) fn verb(op: Op, kind: Option<Kind>) -> &'static str {
    let raw = kind == Some(Kind::RawLock);
    let by_how = |insist, tries, timed| match op.how {
        How::Insist => insist,
        How::Try => tries,
        How::Timed => timed,
    };
    match op.purpose() {
        Action::Lock if raw => by_how("acquire", "try-acquire", "timed-acquire"),
        Action::Unlock if raw => "release",
        Action::Lock => by_how("lock", "try-lock", "timed-lock"),
        Action::Read => by_how("read", "try-read", "timed-read"),
        Action::ReadRecursive => by_how("read-recursive", "try-read-rec", "timed-read-rec"),
        Action::Write => by_how("write", "try-write", "timed-write"),
        Action::Upgradable => by_how("upgradable", "try-upgradable", "timed-upgradable"),
        Action::Upgrade => by_how("upgrade", "try-upgrade", "timed-upgrade"),
        Action::Wake => by_how("wait", "wait", "timed-wait"),
        Action::Acquire => by_how("acquire", "try-acquire", "timed-acquire"),
        Action::Send => by_how("send", "try-send", "timed-send"),
        Action::Recv => by_how("recv", "try-recv", "timed-recv"),
        Action::Select => by_how("select", "try-select", "timed-select"),
        Action::Park => by_how("park", "park", "timed-park"),
        other => plain(other),
    }
}

/// The name of an operation that is done in one way only.
fn plain(action: Action) -> &'static str {
    match action {
        Action::Unlock | Action::Unread | Action::Unwrite | Action::Unupgradable => "unlock",
        Action::IsLocked => "is-locked",
        Action::IsWritten => "is-written",
        Action::Downgrade => "downgrade",
        Action::DowngradeToUpgradable => "to-upgradable",
        Action::DowngradeUpgradable => "to-read",
        Action::Wait => "sleep",
        Action::NotifyOne => "notify-one",
        Action::NotifyAll => "notify-all",
        Action::Release => "release",
        Action::Permits => "permits",
        Action::Withdraw => "withdraw",
        Action::CloseSend => "close",
        Action::CloseRecv => "drop-receiver",
        Action::Len => "len",
        Action::Add => "add",
        Action::WaitZero => "wait",
        Action::Arrive => "barrier",
        Action::Begin => "once",
        Action::Complete => "complete",
        Action::Abandon => "abandon",
        Action::IsComplete => "is-complete",
        Action::Open => "spawn",
        Action::Pass => "start",
        Action::Enlist => "wait-notify",
        Action::Signal => "notify",
        Action::SignalAll => "notify-waiters",
        Action::Evaluate => "evaluate",
        Action::Clone => "clone",
        Action::Drop => "drop",
        Action::Revive => "upgrade",
        Action::Count => "count",
        Action::Unwrap => "unwrap",
        Action::Load => "load",
        Action::Store => "store",
        Action::Update => "update",
        Action::Start => "start",
        Action::Spawn => "spawn",
        Action::Exit => "exit",
        Action::Join => "join",
        Action::IsFinished => "is-finished",
        Action::Unpark => "unpark",
        Action::Yield => "yield",
        Action::Sleep => "sleep",
        Action::Forever => "block-forever",
        Action::Slow => "slow",
        Action::Choose => "choose",
        _ => "wait",
    }
}
