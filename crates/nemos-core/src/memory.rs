//! Memory for results that are as large as a recording.

use crate::{Error, HostFloat};

/// Below this, in bytes, nobody is asked.
const ALWAYS: f64 = (1_u64 << 28) as f64;

/// Asks for memory before it is taken: an allocation that fails ends the program, and one that succeeds may end it later.
///
/// Where the operating system is Linux, it says how much is free, to the machine and to the container. Elsewhere only what no
/// address can reach is refused.
///
/// # Errors
/// [`Error::Memory`], which names the size.
///
/// # Example
/// ```
/// use nemos_core::check_memory;
/// assert!(check_memory("a matrix", 8e6).is_ok());
/// let error = check_memory("the features", 1e15).unwrap_err();
/// assert!(error.to_string().contains("1000000.0 GB"));
/// ```
pub fn check_memory(name: &'static str, bytes: f64) -> Result<(), Error> {
    let available = if bytes > ALWAYS { free_bytes() } else { f64::INFINITY };
    if bytes > available {
        return Err(Error::Memory { name, bytes, available });
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn free_bytes() -> f64 {
    let read = |path: &str| std::fs::read_to_string(path).ok();
    let machine = read("/proc/meminfo").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
        line.trim().strip_suffix(" kB")?.parse::<f64>().ok()
    });
    let number = |path: &str| read(path).and_then(|text| text.trim().parse::<f64>().ok());
    // What a container may take, less what it has taken; a file that says "max" is no number.
    let container = number("/sys/fs/cgroup/memory.max").zip(number("/sys/fs/cgroup/memory.current"));
    let free = machine.map_or(isize::MAX as f64, |kilobytes| kilobytes * 1024.0);
    container.map_or(free, |(most, taken)| free.min(most - taken))
}

#[cfg(not(target_os = "linux"))]
fn free_bytes() -> f64 {
    isize::MAX as f64
}

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

/// Gives back to the operating system what the allocator keeps of memory that was freed, so that what comes next is not added to it. It
/// takes some milliseconds: worth it between stages that take much.
///
/// From then on blocks of more than so many bytes, a mebibyte at least, are given back as soon as they are freed, as they are when a
/// program starts. Where the allocator is glibc's, it would else keep larger and larger ones, for each thread. Elsewhere nothing is done.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
pub fn give_back_memory(beyond: usize) {
    // What that allocator takes at most.
    let beyond = beyond.clamp(1 << 20, 32 << 20) as libc::c_int;
    // SAFETY: only pages that hold nothing are given back; the threshold decides where blocks of the future come from.
    #[expect(unsafe_code, reason = "the allocator has no safe face")]
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, beyond);
        libc::malloc_trim(0);
    }
}

/// Gives back memory where the allocator can be asked to, which it cannot here.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back_memory(_beyond: usize) {}

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
