//! LZF, the compression that h5py calls `lzf`: short runs of literals, and copies of what was decoded before.
//!
//! ```text
//! 000lllll                      the next l + 1 bytes as they are
//! LLLooooo oooooooo             L + 2 bytes from o + 1 bytes back           (1 ≤ L ≤ 6)
//! 111ooooo llllllll oooooooo    l + 9 bytes from o + 1 bytes back
//! ```
//! Source: M. Lehmann, *LibLZF*, whose format HDF5 registers as filter 32000.

/// What the bytes were before they were compressed, `most` bytes at most; nothing if they are no LZF.
pub(crate) fn decode(mut bytes: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    while let Some((&control, rest)) = bytes.split_first() {
        let (high, low) = (usize::from(control >> 5), usize::from(control & 31));
        if high == 0 {
            let (literals, rest) = rest.split_at_checked(low + 1)?;
            out.extend_from_slice(literals);
            bytes = rest;
        } else {
            let (&more, rest) = if high == 7 { rest.split_first()? } else { (&0, rest) };
            let (&offset, rest) = rest.split_first()?;
            let from = out.len().checked_sub((low << 8 | usize::from(offset)) + 1)?;
            // A copy may run into what it writes.
            for at in from..from + high + usize::from(more) + 2 {
                out.push(out[at]);
            }
            bytes = rest;
        }
        if out.len() > most {
            return None;
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_copies_are_what_they_were() {
        // "abc", then six bytes from three back: a copy that runs into itself; then nine from nine back.
        let bytes = [2, b'a', b'b', b'c', 4 << 5, 2, 7 << 5, 0, 8];
        assert_eq!(decode(&bytes, 100).unwrap(), b"abcabcabcabcabcabc");
        assert_eq!(decode(&[], 0).unwrap(), b"");
    }

    #[test]
    fn what_is_cut_short_or_points_before_its_start_or_is_too_long_is_none() {
        for bytes in [&[5_u8, 1][..], &[1 << 5], &[1 << 5, 0], &[7 << 5, 3], &[0, 1, 1 << 5, 1]] {
            assert_eq!(decode(bytes, 1000), None, "{bytes:?}");
        }
        assert_eq!(decode(&[0, 1, 7 << 5, 255, 0], 100), None);
    }
}
