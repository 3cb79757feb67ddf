//! A series of an NWB file as rows that stay where they are.

use std::ops::Range;

use nemos_core::{Backend, Design, Matrix, Names, Rows, Samples, ToDesign, check_rows_exist};
use nemos_timeseries::Ts;

use crate::error::unread;
use crate::nwb_series::NwbSeries;

/// The samples of a series in an NWB file, which are read a chunk at a time: a stimulus or a signal that does not fit into memory.
///
/// [`NwbSeries::rows`] gives it. As a [`Design`] it has times, epochs and names, like the frame that [`NwbSeries::frame`] reads, of
/// which every chunk is a part. Features of it are a [`Design`] with its times, epochs and names.
///
/// # Example
/// ```no_run
/// use nemos_basis::{BSpline, Family};
/// use nemos_core::Cpu;
/// use nemos_io::NwbFile;
/// let session = NwbFile::open("session.nwb")?;
/// let speed = session.series("speed")?.rows()?;
/// let features = BSpline::new(10).bounds(0.0, 50.0).label("speed").design::<Cpu>(&speed)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct NwbRows {
    pub(crate) series: NwbSeries,
    /// The row of the file that is the first here.
    pub(crate) first: usize,
    pub(crate) axis: Ts,
    pub(crate) names: Names,
    pub(crate) n_columns: usize,
}

impl NwbRows {
    /// The times of the samples, in seconds.
    pub fn axis(&self) -> &Ts {
        &self.axis
    }
}

impl<B: Backend> Rows<B> for NwbRows {
    fn n_rows(&self) -> usize {
        self.axis.len()
    }

    fn n_columns(&self) -> usize {
        self.n_columns
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, nemos_core::Error> {
        check_rows_exist(&rows, self.axis.len())?;
        let read = self.series.matrix_of(self.first + rows.start..self.first + rows.end);
        read.map_err(unread(rows))
    }
}

impl<B: Backend> ToDesign<B> for NwbRows {
    fn to_design(&self) -> Design<'_, B> {
        Design::from_rows(self)
            .with_times(self.axis.times())
            .and_then(|design| design.with_segments(self.axis.segments()))
            .and_then(|design| design.with_names(self.names.clone()))
            .expect("invariant: a row per time, and a name per column")
    }
}

impl<B: Backend> Samples<B> for NwbRows {
    type Output = Design<'static, B>;

    fn wrap(&self, values: Matrix<B>, names: Names) -> Design<'static, B> {
        self.to_design().wrap(values, names)
    }
}
