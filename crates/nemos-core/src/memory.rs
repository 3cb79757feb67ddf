//! Memory for results that are as large as a recording.

use crate::HostFloat;

/// Below this, in bytes, pages are few anyway.
#[cfg(target_os = "linux")]
const LARGE: usize = 4 << 20;

/// `n` zeros, which nothing has touched yet.
///
/// Where the operating system is Linux, large ones ask for huge pages: the first write to each page of a new array costs more
/// than what most operations on it do, and a huge page stands for 512 of them.
///
/// # Example
/// ```
/// assert_eq!(nemos_core::zeros::<f64>(3), [0.0; 3]);
/// ```
pub fn zeros<E: HostFloat>(n: usize) -> Vec<E> {
    let values = vec![E::default(); n];
    prefer_huge_pages(&values);
    values
}

/// An empty list with room for `n` values; see [`zeros`].
pub fn with_room<E: Copy>(n: usize) -> Vec<E> {
    let values = Vec::with_capacity(n);
    prefer_huge_pages(&values);
    values
}

#[cfg(target_os = "linux")]
fn prefer_huge_pages<E: Copy>(values: &Vec<E>) {
    let bytes = values.capacity() * size_of::<E>();
    if bytes < LARGE {
        return;
    }
    // Whole pages of 4 kB, or of any size up to 64 kB that a kernel may have.
    let start = values.as_ptr().cast::<u8>();
    let skipped = start.align_offset(1 << 16).min(bytes);
    let whole = (bytes - skipped) >> 16 << 16;
    // SAFETY: the range lies within what this list has allocated. The advice changes neither contents nor validity; a kernel
    // that cannot follow it says so, which does not matter.
    #[expect(unsafe_code, reason = "advice on memory has no safe face")]
    let _ = unsafe { libc::madvise(start.wrapping_add(skipped).cast_mut().cast(), whole, libc::MADV_HUGEPAGE) };
}

#[cfg(not(target_os = "linux"))]
fn prefer_huge_pages<E: Copy>(_values: &Vec<E>) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_and_small_are_zeros_with_room() {
        for n in [0, 1, 1000, 3_000_001] {
            let mut values = zeros::<f32>(n);
            assert!(values.len() == n && values.iter().all(|value| *value == 0.0));
            values.fill(1.0);
            let mut room = with_room::<f32>(n);
            room.extend_from_slice(&values);
            assert!(room == values && room.capacity() >= n);
        }
    }
}
