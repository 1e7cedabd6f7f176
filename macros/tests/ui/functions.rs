//! What cannot be a model says why.

#[gordian::test]
async fn is_async() {}

#[gordian::test]
fn takes_arguments(count: usize) {
    let _ = count;
}

#[gordian::test]
fn generic<T>() {}

#[gordian::test]
fn generic_by_where()
where
    (): Send,
{
}

#[gordian::test]
unsafe fn is_unsafe() {}

#[gordian::test]
const fn is_const() {}

#[gordian::test]
extern "C" fn foreign() {}

#[gordian::test]
struct NoFunction;

#[gordian::test(stride = 5)]
async fn two_mistakes() {}

fn main() {}
