//! What to do where a process may have few addresses.
//!
//! faer multiplies matrices of doubles in buffers that each thread sets aside at its first product: twice as many bytes as the processor's
//! last cache, hundreds of megabytes on a server. Few of them are ever touched; but a limit of addresses (`ulimit -v`) counts them all, and
//! a program that asks for more is ended. So where there is such a limit, matrices are multiplied and factorised without these buffers; what
//! is seldom needed, singular values and QR, is left to one thread.

use std::sync::OnceLock;

use rayon::{ThreadPool, ThreadPoolBuilder};

// Addresses for each thread that are enough for any cache, in bytes.
const ENOUGH: f64 = (1_u64 << 30) as f64;

/// Whether this process is limited to fewer addresses than its threads would set aside.
pub(crate) fn are_few() -> bool {
    static FEW: OnceLock<bool> = OnceLock::new();
    *FEW.get_or_init(|| limit().is_some_and(|limit| limit < ENOUGH * (rayon::current_num_threads() + 2) as f64))
}

/// The most addresses that this process may have, in bytes; nothing where it may have all, or where nobody says.
fn limit() -> Option<f64> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Runs what factorises matrices with faer: on a thread of its own, the same one for all, where addresses are few.
pub(crate) fn factorized<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    static ALONE: OnceLock<Option<ThreadPool>> = OnceLock::new();
    if !are_few() {
        return work();
    }
    match ALONE.get_or_init(|| ThreadPoolBuilder::new().num_threads(1).build().ok()) {
        Some(alone) => on_another_thread(|| alone.install(work)),
        None => work(),
    }
}

/// Waits for work that another thread does. A thread of a pool that waits for another pool would begin other work meanwhile, which might
/// need what this work has.
fn on_another_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let done = std::thread::scope(|scope| scope.spawn(work).join());
    done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
