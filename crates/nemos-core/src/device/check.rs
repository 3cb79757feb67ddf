//! Whether a device can be used at all, asked once.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, PoisonError};

use burn_tensor::Tensor;

use super::heard;
use crate::{Backend, Error, upload};

type Found = BTreeMap<(&'static str, usize), Result<(), Error>>;

static FOUND: Mutex<Found> = Mutex::new(BTreeMap::new());

/// Adds two numbers on device `index` of `B`; what that comes to is remembered.
pub(crate) fn once<B: Backend>(index: usize, remedy: &'static str) -> Result<(), Error> {
    let mut found = FOUND.lock().unwrap_or_else(PoisonError::into_inner);
    found.entry((B::NAME, index)).or_insert_with(|| tried::<B>(remedy)).clone()
}

fn tried<B: Backend>(remedy: &'static str) -> Result<(), Error> {
    let failed = |reason: String| Error::Device {
        backend: B::NAME,
        reason,
        remedy,
    };
    let (sum, panics) = without_noise(|| {
        // Not by a matrix, which asks here first.
        let two = Tensor::<B::Burn, 2>::zeros([1, 2], (&B::device(), B::DTYPE)).add_scalar(1.0);
        two.try_into_data().map(upload::into_f64).map_err(|error| error.to_string())
    });
    match sum {
        Some(Ok(values)) if values == [1.0, 1.0] => {
            heard::listen();
            // Whatever panicked meanwhile was not the device.
            panics.iter().for_each(|panic| eprintln!("a thread panicked: {panic}"));
            Ok(())
        }
        // A kernel that could not be compiled has not run, and says so by a panic on the device's own thread.
        Some(Ok(values)) => Err(failed(
            panics
                .into_iter()
                .next()
                .unwrap_or_else(|| format!("it adds 0 and 1 to {values:?}")),
        )),
        Some(Err(reason)) => Err(failed(reason)),
        // The first panic is the cause; the others are of threads that waited for the one that met it.
        None => Err(failed(
            panics.into_iter().next().unwrap_or_else(|| "it could not be started".to_string()),
        )),
    }
}

/// What `f` gives, unless it panics, and what panics said meanwhile on any thread. A driver that is missing is found by a panic deep
/// within burn, on a thread of its own; a hook is the one way to hear what it says.
fn without_noise<R>(f: impl FnOnce() -> R) -> (Option<R>, Vec<String>) {
    let panics = Arc::new(Mutex::new(Vec::new()));
    let said = Arc::clone(&panics);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let text = heard::what_it_says(panic);
        said.lock().unwrap_or_else(PoisonError::into_inner).push(text);
    }));
    let result = panic::catch_unwind(AssertUnwindSafe(f)).ok();
    panic::set_hook(hook);
    let panics = std::mem::take(&mut *panics.lock().unwrap_or_else(PoisonError::into_inner));
    (result, panics)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_panic_of_another_thread_is_heard() {
        let (result, panics) = without_noise(|| {
            let cause = std::thread::spawn(|| panic!("no driver"));
            cause.join().expect("the thread ends");
        });
        // Other tests may panic meanwhile.
        let at = |text: &str| panics.iter().position(|panic| panic.starts_with(text));
        assert!(result.is_none() && at("no driver") < at("the thread ends"), "{panics:?}");
        assert_eq!(without_noise(|| 3).0, Some(3));
    }
}
