//! Time series of NWB files, read by the stretch of time that is asked for.

use std::ops::Range;
use std::sync::Arc;

use ndarray::ArrayD;
use nemos_core::{Backend, Matrix, Names};
use nemos_timeseries::{Ts, Tsd, TsdFrame, TsdTensor};

use crate::arrays::matrix;
use crate::hdf5::Hdf5;
use crate::nwb_axis::{self, Axis};
use crate::nwb_part::Part;
use crate::nwb_regions;
use crate::nwb_rows::NwbRows;
use crate::report::Log;
use crate::{Error, NwbEntry};

/// The columns of a position.
const AXES: [&str; 3] = ["x", "y", "z"];

/// A time series in an NWB file, of which nothing is read yet: a signal, or annotations.
///
/// [`between`](NwbSeries::between) narrows it down to a stretch of time, and [`tsd`](NwbSeries::tsd),
/// [`frame`](NwbSeries::frame) or [`tensor`](NwbSeries::tensor) reads that stretch. Values are in the unit of the file:
/// its conversion, the factors of its channels and its offset are applied.
///
/// # Example
/// ```no_run
/// use nemos_core::Cpu;
/// use nemos_io::NwbFile;
/// let session = NwbFile::open("session.nwb")?;
/// // A minute of a recording of hours.
/// let lfp = session.series("lfp")?.between(600.0, 660.0).frame::<Cpu>()?;
/// # Ok::<(), nemos_io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct NwbSeries {
    part: Part,
    is_transposed: bool,
}

impl NwbSeries {
    pub(crate) fn new(file: Arc<Hdf5>, log: Log, entry: &NwbEntry) -> Self {
        NwbSeries {
            part: Part::new(file, log, entry),
            is_transposed: false,
        }
    }

    /// Takes the last axis of the data for time, where a file was written the wrong way round. All data are then read,
    /// whatever stretch is asked for.
    pub fn transposed(mut self) -> Self {
        self.is_transposed = true;
        self
    }

    /// The samples from `start` to `end` in seconds, both included.
    pub fn between(mut self, start: f64, end: f64) -> Self {
        self.part.between = Some((start, end));
        self
    }

    /// The shape of the whole series, `[n_samples, …]`, whatever stretch of it was asked for.
    ///
    /// # Errors
    /// [`Error::Hdf5`] if it cannot be read.
    pub fn shape(&self) -> Result<Vec<usize>, Error> {
        self.part.file.shape(&self.data())
    }

    /// Reads the times alone.
    ///
    /// # Errors
    /// [`Error::Hdf5`] if they cannot be read, [`Error::Times`] if they are not finite and in order;
    /// [`Error::SeriesTimes`] or [`Error::SeriesTransposed`] if they are not one for each sample.
    pub fn times(&self) -> Result<Ts, Error> {
        Ok(self.axis()?.times)
    }

    /// Reads a series with one value per time.
    ///
    /// # Errors
    /// As [`times`](NwbSeries::times); [`Error::Hdf5`] if a conversion or offset is not a finite number;
    /// [`Error::SeriesChannels`] if there is not one factor per channel; [`Error::SeriesShape`] if a sample has several values.
    pub fn tsd<B: Backend>(&self) -> Result<Tsd<B>, Error> {
        let (axis, values) = self.read()?;
        if values.ndim() > 1 && values.shape()[1..] != [1] {
            return Err(self.wrong_shape(&values, "one value", "frame or tensor"));
        }
        self.part.at(Tsd::new(axis, matrix(values)?))
    }

    /// Reads a series of columns. A position has columns x, y and z; those that are rows of a table, as electrodes and regions
    /// of interest are, have the numbers of these rows as names, and what the table says of them as metadata.
    ///
    /// # Errors
    /// As [`tsd`](NwbSeries::tsd), [`Error::SeriesShape`] if a sample is an array of several axes.
    pub fn frame<B: Backend>(&self) -> Result<TsdFrame<B>, Error> {
        let (axis, values) = self.read()?;
        if values.ndim() > 2 {
            return Err(self.wrong_shape(&values, "a row", "tensor"));
        }
        let frame = self.part.at(TsdFrame::new(axis, matrix(values)?))?;
        match frame.n_columns() {
            n_columns @ 1..=3 if self.is_position() => self.part.at(frame.with_names(AXES[..n_columns].iter().copied())),
            _ => nwb_regions::described(&self.part, frame),
        }
    }

    /// Samples that stay in the file, and are read a chunk at a time: one value each, or a row. Times are read now.
    ///
    /// # Errors
    /// As [`times`](NwbSeries::times); [`Error::SeriesRows`] if the samples are not rows of the file one after the other.
    pub fn rows(&self) -> Result<NwbRows, Error> {
        let Axis { rows, picked, times } = self.axis()?;
        let shape = self.shape()?;
        if self.is_transposed || picked.is_some() || shape.len() > 2 {
            return Err(Error::SeriesRows {
                name: self.part.label(),
                shape,
                why: if self.is_transposed {
                    "they lie across the file"
                } else if picked.is_some() {
                    "some between them are left out"
                } else {
                    "each is an array of several axes"
                },
            });
        }
        let n_columns = shape.get(1).copied().unwrap_or(1);
        let names = match n_columns {
            1..=3 if self.is_position() => Some(AXES[..n_columns].iter().map(ToString::to_string).collect()),
            _ => nwb_regions::of_columns(&self.part, n_columns)?.map(|region| region.names),
        };
        Ok(NwbRows {
            series: self.clone(),
            first: rows.start,
            axis: times,
            names: names.map_or_else(Names::none, Names::new),
            n_columns,
        })
    }

    fn is_position(&self) -> bool {
        self.part.file.group_text(&self.part.path, "neurodata_type").as_deref() == Some("SpatialSeries")
    }

    /// Reads the texts of a series of annotations, one for each of its [`times`](NwbSeries::times).
    ///
    /// # Errors
    /// [`Error::Hdf5`] if they cannot be read, and as [`times`](NwbSeries::times).
    pub fn texts(&self) -> Result<Vec<String>, Error> {
        let Axis { rows, picked, .. } = self.axis()?;
        let mut texts = self.part.file.texts(&self.data())?;
        texts.truncate(rows.end);
        let texts = texts.split_off(rows.start.min(texts.len()));
        Ok(match picked {
            Some(picked) => picked.into_iter().filter_map(|row| texts.get(row).cloned()).collect(),
            None => texts,
        })
    }

    /// Reads a series of arrays.
    ///
    /// # Errors
    /// As [`tsd`](NwbSeries::tsd), of any shape.
    pub fn tensor<B: Backend>(&self) -> Result<TsdTensor<B>, Error> {
        let (axis, values) = self.read()?;
        self.part.at(TsdTensor::from_array(axis, &values))
    }

    /// Times and values of the stretch that was asked for.
    fn read(&self) -> Result<(Ts, ArrayD<f64>), Error> {
        let Axis { rows, picked, times } = self.axis()?;
        let data = self.data();
        let mut values = if self.is_transposed {
            let all = self.part.file.floats(&data)?;
            let last = all.ndim().saturating_sub(1);
            let order: Vec<usize> = [last].into_iter().chain(0..last).collect();
            let all = all.permuted_axes(order);
            all.slice_axis(ndarray::Axis(0), rows.into()).to_owned()
        } else {
            self.part.file.rows(&data, rows)?
        };
        if let Some(picked) = picked {
            values = values.select(ndarray::Axis(0), &picked);
        }
        self.convert(&mut values)?;
        Ok((times, values))
    }

    /// These rows of the file.
    pub(crate) fn matrix_of<B: Backend>(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        let mut values = self.part.file.rows(&self.data(), rows)?;
        self.convert(&mut values)?;
        matrix(values)
    }

    /// From the numbers of the file to its unit.
    fn convert(&self, values: &mut ArrayD<f64>) -> Result<(), Error> {
        let data = self.data();
        let conversion = self.part.file.number(&data, "conversion")?.unwrap_or(1.0);
        let offset = self.part.file.number(&data, "offset")?.unwrap_or(0.0);
        self.convert_channels(values)?;
        if (conversion, offset) != (1.0, 0.0) {
            values.mapv_inplace(|value| value * conversion + offset);
        }
        Ok(())
    }

    /// Multiplies each channel by a factor of its own, where the series has such factors.
    fn convert_channels(&self, values: &mut ArrayD<f64>) -> Result<(), Error> {
        if !self.part.has("channel_conversion")? {
            return Ok(());
        }
        let factors = self.part.file.floats(&self.part.dataset("channel_conversion"))?;
        let n_channels = values.shape().get(1).copied().unwrap_or(1);
        if factors.len() != n_channels {
            return Err(Error::SeriesChannels {
                name: self.part.label(),
                got: factors.len(),
                expected: n_channels,
            });
        }
        if values.ndim() < 2 {
            factors.iter().for_each(|factor| *values *= *factor);
            return Ok(());
        }
        let channels = values.axis_iter_mut(ndarray::Axis(1));
        channels.zip(&factors).for_each(|(mut channel, factor)| channel *= *factor);
        Ok(())
    }

    fn axis(&self) -> Result<Axis, Error> {
        nwb_axis::axis(&self.part, &self.shape()?, self.is_transposed)
    }

    fn data(&self) -> String {
        self.part.dataset("data")
    }

    fn wrong_shape(&self, values: &ArrayD<f64>, wanted: &'static str, instead: &'static str) -> Error {
        Error::SeriesShape {
            name: self.part.label(),
            shape: values.shape()[1..].to_vec(),
            wanted,
            instead,
        }
    }
}
