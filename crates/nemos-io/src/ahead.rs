//! Files that are read a block at a time: the next block is on its way while this one is used.

use std::fs::File;
use std::io;

/// The most bytes that are asked for ahead: a block of rows is smaller, and memory for what is never used stays little.
#[cfg(target_os = "linux")]
const MOST: usize = 32 << 20;

/// Less than this is no block of rows, but what a file says of itself.
#[cfg(target_os = "linux")]
const LEAST: usize = 4 << 10;

/// Tells the operating system that what follows a block of `length` bytes that ends at `end` is read next, as much again: it reads while the
/// block is used. Nothing is waited for, and no memory of the program is taken. Elsewhere than on Linux nothing is told.
#[cfg(target_os = "linux")]
pub(crate) fn expect_next(file: &File, end: u64, length: usize) {
    use std::os::fd::AsRawFd;
    if length < LEAST {
        return;
    }
    let (Ok(start), Ok(length)) = (libc::off_t::try_from(end), libc::off_t::try_from(length.min(MOST))) else {
        return;
    };
    // SAFETY: the descriptor is open as long as the file is borrowed. Advice changes nothing that is read; a system that cannot
    // follow it says so, which does not matter.
    #[expect(unsafe_code, reason = "advice on files has no safe face")]
    let _ = unsafe { libc::posix_fadvise(file.as_raw_fd(), start, length, libc::POSIX_FADV_WILLNEED) };
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn expect_next(_file: &File, _end: u64, _length: usize) {}

/// Fills bytes from a place of a file that several threads read.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, bytes: &mut [u8], place: u64) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, place)
}

#[cfg(windows)]
pub(crate) fn read_at(file: &File, bytes: &mut [u8], place: u64) -> io::Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        match std::os::windows::fs::FileExt::seek_read(file, &mut bytes[done..], place + done as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => done += n,
        }
    }
    Ok(())
}
