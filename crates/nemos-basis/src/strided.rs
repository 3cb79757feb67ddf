//! Where the values of one channel go, and who writes them.

use std::ops::Range;

/// The places that the functions of one channel take in rows of an output that begins as zeros.
pub(crate) struct Strided<'a> {
    pub(crate) values: &'a mut [f64],
    /// Numbers from one row to the next.
    pub(crate) row_stride: usize,
    /// Where the channel begins in a row.
    pub(crate) offset: usize,
    /// Numbers from one entry of an array-valued function to the next.
    pub(crate) entry_stride: usize,
}

impl Strided<'_> {
    #[inline(always)]
    pub(crate) fn row(&mut self, row: usize, n_functions: usize) -> &mut [f64] {
        let start = row * self.row_stride + self.offset;
        &mut self.values[start..start + n_functions]
    }

    /// These rows, one after the other.
    pub(crate) fn rows(&mut self, rows: Range<usize>, n_functions: usize) -> impl ExactSizeIterator<Item = &mut [f64]> {
        let offset = self.offset;
        self.values[rows.start * self.row_stride..rows.end * self.row_stride]
            .chunks_exact_mut(self.row_stride)
            .map(move |row| &mut row[offset..offset + n_functions])
    }
}

/// Functions that look at one sample at a time.
pub(crate) trait Pointwise: Send + Sync {
    /// Writes the functions at the samples: `samples` holds one slice for each input, scaled to 0..1 where the family
    /// scales. What is zero need not be written.
    fn write(&self, samples: &[&[f64]], out: &mut Strided<'_>);
}
