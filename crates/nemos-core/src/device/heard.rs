//! Panics of the threads that drive devices. What runs on such a thread is caught there and goes no further: a kernel for which there was no
//! memory is left out, and what it should have written is read as if it were there. So panics are counted, and asked for at each read.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::{Backend, Error, Products};

static PANICS: AtomicUsize = AtomicUsize::new(0);
/// Those of which somebody was told.
static TOLD: AtomicUsize = AtomicUsize::new(0);
/// What the last one said.
static TEXT: Mutex<String> = Mutex::new(String::new());

/// What cubecl names these threads after.
#[cfg(feature = "card")]
const THREADS: [&str; 2] = ["DSU-", "DSD-"];

/// Counts from now on. Whatever hook there is goes on hearing panics.
#[cfg(feature = "card")]
pub(crate) fn listen() {
    static LISTENING: std::sync::Once = std::sync::Once::new();
    LISTENING.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            let thread = std::thread::current();
            if thread
                .name()
                .is_some_and(|name| THREADS.iter().any(|prefix| name.starts_with(prefix)))
            {
                *TEXT.lock().unwrap_or_else(PoisonError::into_inner) = what_it_says(panic);
                PANICS.fetch_add(1, Ordering::SeqCst);
            }
            hook(panic);
        }));
    });
}

/// The beginning of what a panic says: some list every name that they tried.
#[cfg(feature = "card")]
pub(crate) fn what_it_says(panic: &std::panic::PanicHookInfo<'_>) -> String {
    let text = panic.payload_as_str().unwrap_or("without a word").replace('\n', " ");
    text.chars().take(240).collect()
}

/// Panics so far.
pub(crate) fn so_far() -> usize {
    PANICS.load(Ordering::SeqCst)
}

/// That there was no panic since there were so many, on a backend whose device has a thread.
pub(crate) fn none_since<B: Backend>(before: usize) -> Result<(), Error> {
    let now = so_far();
    if B::PRODUCTS != Products::Own || now == before {
        return Ok(());
    }
    TOLD.store(now, Ordering::SeqCst);
    let text = TEXT.lock().unwrap_or_else(PoisonError::into_inner);
    Err(failed::<B>(&*text))
}

/// That there was none of which nobody was told.
pub(crate) fn none_untold<B: Backend>() -> Result<(), Error> {
    none_since::<B>(TOLD.load(Ordering::SeqCst))
}

/// What a device said when it failed.
pub(crate) fn failed<B: Backend>(error: impl std::fmt::Display) -> Error {
    Error::Device {
        backend: B::NAME,
        reason: error.to_string(),
        remedy: "if memory ran out, use smaller chunks of rows; the device may be unusable until the program starts again",
    }
}
