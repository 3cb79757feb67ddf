//! Counts on demand, for recordings whose counts would not fit into memory.

use std::fmt;
use std::ops::Range;

use nemos_core::tensor::DType;
use nemos_core::{Backend, Design, Error as Unread, HostFloat, Matrix, Names, Rows, Samples, ToDesign, check_columns_exist};

use super::count::add_counts;
use super::group::TsGroup;
use crate::Error;
use crate::signals::{TsdFrame, matrix};
use crate::times::{Bins, Ts};

/// The counts of units in bins, made from their spikes a chunk of bins at a time: they are never held all at once.
///
/// A fit that reads counts so takes the memory of the spikes and of some chunks, however many bins and units there are: 10,000
/// units in bins of 5 ms would be 288 GB in five hours, and their spikes, at five a second, 7 GB. Every pass counts anew.
///
/// As a [`Design`] it has the times of the bins, the epochs as segments, and the numbers of the units as names, like the frame that
/// [`TsGroup::count`] gives, of which every chunk is a part.
///
/// # Shapes
/// `[n_bins, n_units]`
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Rows, ToDesign};
/// use nemos_timeseries::{IntervalSet, Ts, TsGroup};
/// let units = TsGroup::new([Ts::new([0.1, 0.5, 0.7])?, Ts::new([1.9])?], &IntervalSet::new([(0.0, 2.0)])?);
/// let counts = units.binned(0.5)?;
/// assert_eq!(counts.axis().times(), [0.25, 0.75, 1.25, 1.75]);
/// let chunk = Rows::<Cpu>::chunk(&counts, 1..4)?;
/// assert_eq!(chunk.to_vec(), [2.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Binned<'a> {
    units: &'a TsGroup,
    bins: Bins,
    axis: Ts,
}

impl TsGroup {
    /// The same counts as [`count`](TsGroup::count) gives, made a chunk of bins at a time when they are asked for.
    ///
    /// # Errors
    /// As [`Ts::count`].
    pub fn binned(&self, bin_size: f64) -> Result<Binned<'_>, Error> {
        let bins = Bins::new(self.support(), bin_size)?;
        Ok(Binned {
            units: self,
            axis: bins.axis(),
            bins,
        })
    }
}

impl Binned<'_> {
    /// The centres of the bins, in seconds, within the support of the units.
    pub fn axis(&self) -> &Ts {
        &self.axis
    }

    fn count<'u, B: Backend>(&self, rows: Range<usize>, units: impl ExactSizeIterator<Item = &'u Ts> + Clone) -> Result<Matrix<B>, Unread> {
        nemos_core::check_rows_exist(&rows, self.axis.len())?;
        Ok(match B::DTYPE {
            DType::F32 => self.count_in::<B, f32>(rows, units),
            _ => self.count_in::<B, f64>(rows, units),
        })
    }

    fn count_in<'u, B: Backend, E: HostFloat + std::ops::AddAssign>(
        &self,
        rows: Range<usize>,
        units: impl ExactSizeIterator<Item = &'u Ts> + Clone,
    ) -> Matrix<B> {
        let width = units.len();
        let mut counts: Vec<E> = nemos_core::zeros(rows.len() * width);
        let (mut from, mut left) = (vec![0; width], counts.as_mut_slice());
        for stretch in self.bins.stretches(rows.clone()) {
            let (own, rest) = left.split_at_mut(stretch.n_bins() * width);
            add_counts(units.clone(), &mut from, &stretch, own);
            left = rest;
        }
        matrix(counts, [rows.len(), width])
    }
}

impl fmt::Debug for Binned<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dims = [self.axis.len(), self.units.len()];
        formatter.debug_struct("Binned").field("dims", &dims).finish_non_exhaustive()
    }
}

impl<B: Backend> Rows<B> for Binned<'_> {
    fn n_rows(&self) -> usize {
        self.axis.len()
    }

    fn n_columns(&self) -> usize {
        self.units.len()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Unread> {
        self.count(rows, self.units.units().iter())
    }

    fn chunk_of(&self, rows: Range<usize>, columns: &[usize]) -> Result<Matrix<B>, Unread> {
        let units = self.units.units();
        check_columns_exist(columns, units.len())?;
        self.count(rows, columns.iter().map(|&column| &units[column]))
    }
}

impl<B: Backend> ToDesign<B> for Binned<'_> {
    fn to_design(&self) -> Design<'_, B> {
        Design::from_rows(self)
            .with_times(self.axis.times())
            .and_then(|design| design.with_segments(self.axis.segments()))
            .and_then(|design| design.with_names(Names::new(self.units.names())))
            .expect("invariant: a row per time, and a name per unit")
    }
}

impl<B: Backend> Samples<B> for Binned<'_> {
    type Output = TsdFrame<B>;

    fn wrap(&self, values: Matrix<B>, names: Names) -> TsdFrame<B> {
        TsdFrame::named(self.axis.clone(), values, names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IntervalSet;
    use nemos_core::Cpu;

    #[test]
    fn every_chunk_is_a_part_of_all_counts() {
        let support = IntervalSet::new([(0.0, 30.0), (30.0, 41.0), (50.0, 90.2)]).unwrap();
        let spikes = |unit: usize| (0..unit * 7).map(|spike| (spike * 13 % 1000) as f64 / 10.0);
        let units = (0..20).map(|unit| Ts::sorted(spikes(unit).collect::<Vec<f64>>()).unwrap());
        let group = TsGroup::new(units.collect::<Vec<_>>(), &support);
        let (all, binned) = (group.count::<Cpu>(0.25).unwrap(), group.binned(0.25).unwrap());
        let n = all.len();
        for rows in [0..n, 0..1, 3..3, 7..150, 118..122, n - 1..n, n..n] {
            let chunk = Rows::<Cpu>::chunk(&binned, rows.clone()).unwrap();
            assert_eq!(chunk.to_vec(), all.values().rows(rows.clone()).unwrap().to_vec(), "{rows:?}");
        }
        let some = Rows::<Cpu>::chunk_of(&binned, 7..150, &[19, 3]).unwrap();
        let expected = all.values().rows(7..150).unwrap().select_columns(&[19, 3]).unwrap();
        assert_eq!(some.to_vec(), expected.to_vec());
        assert!(Rows::<Cpu>::chunk_of(&binned, 0..1, &[20]).is_err());
        let single = Rows::<Cpu<f32>>::gather(&binned, &[5, 4, 5]).unwrap();
        assert_eq!(single.to_vec()[..20], all.values().rows(5..6).unwrap().to_vec()[..]);
        let (one, other) = (ToDesign::<Cpu>::to_design(&binned), all.to_design());
        assert_eq!(
            (one.times(), one.segments(), one.names()),
            (other.times(), other.segments(), other.names())
        );
        assert!(Rows::<Cpu>::chunk(&binned, 0..n + 1).is_err());
    }
}
