//! Time series of NWB files, read by the stretch of time that is asked for.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use ndarray::{ArrayD, Axis};
use nemos_core::Backend;
use nemos_timeseries::{Ts, Tsd, TsdFrame, TsdTensor};

use crate::arrays::{in_rows, matrix};
use crate::hdf5::Hdf5;
use crate::nwb_part::Part;
use crate::nwb_table::{self, ELECTRODES};
use crate::{Error, NwbEntry};

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
pub struct NwbSeries(Part);

/// Where the times of a series come from.
enum Times {
    /// They are written down, in this dataset.
    Written(String),
    /// They are even.
    Even { start: f64, rate: f64 },
}

impl NwbSeries {
    pub(crate) fn new(file: Arc<Hdf5>, entry: &NwbEntry) -> Self {
        NwbSeries(Part::new(file, entry))
    }

    /// The samples from `start` to `end` in seconds, both included.
    pub fn between(mut self, start: f64, end: f64) -> Self {
        self.0.between = Some((start, end));
        self
    }

    /// The shape of the whole series, `[n_samples, …]`, whatever stretch of it was asked for.
    ///
    /// # Errors
    /// [`Error::Hdf5`] if it cannot be read.
    pub fn shape(&self) -> Result<Vec<usize>, Error> {
        self.0.file.shape(&self.data())
    }

    /// Reads the times alone.
    ///
    /// # Errors
    /// [`Error::Hdf5`] if they cannot be read, [`Error::TimeSeries`] if they are not finite and in order.
    pub fn times(&self) -> Result<Ts, Error> {
        Ok(self.axis()?.1)
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
        Ok(Tsd::new(axis, matrix(values)?)?)
    }

    /// Reads a series of columns. A position has columns x, y and z; those of a recording of electrodes have the numbers of
    /// the electrodes as names, and what the file says of them as metadata.
    ///
    /// # Errors
    /// As [`tsd`](NwbSeries::tsd), [`Error::SeriesShape`] if a sample is an array of several axes.
    pub fn frame<B: Backend>(&self) -> Result<TsdFrame<B>, Error> {
        let (axis, values) = self.read()?;
        if values.ndim() > 2 {
            return Err(self.wrong_shape(&values, "a row", "tensor"));
        }
        let frame = TsdFrame::new(axis, matrix(values)?)?;
        let is_position = self.0.file.group_text(&self.0.path, "neurodata_type").as_deref() == Some("SpatialSeries");
        match frame.n_columns() {
            n_columns @ 1..=3 if is_position => Ok(frame.with_names(["x", "y", "z"].into_iter().take(n_columns))?),
            _ => self.with_electrodes(frame),
        }
    }

    /// The columns under the numbers of their electrodes, where the file says which they are.
    fn with_electrodes<B: Backend>(&self, frame: TsdFrame<B>) -> Result<TsdFrame<B>, Error> {
        if !self.0.has("electrodes")? {
            return Ok(frame);
        }
        let rows = self.0.file.vector(&self.0.dataset("electrodes"))?;
        let ids = self.0.file.vector(&format!("{ELECTRODES}/id"))?;
        let rows: Vec<usize> = rows.into_iter().map(|row| row as usize).filter(|&row| row < ids.len()).collect();
        let names: Vec<String> = rows.iter().map(|&row| ids[row].to_string()).collect();
        let n_electrodes = names.iter().collect::<HashSet<_>>().len();
        if names.len() != frame.n_columns() || n_electrodes != names.len() {
            tracing::warn!("{}: its electrodes are not one for each column, and were left out", self.0.path);
            return Ok(frame);
        }
        let mut frame = frame.with_names(names)?;
        for (name, column) in nwb_table::table(&self.0.file, ELECTRODES)?.columns() {
            let column = column.select(&rows);
            let column = column.ok_or_else(|| nwb_table::damaged(&self.0.file, ELECTRODES, "its columns differ in length"))?;
            frame = frame.with_metadata(name, column)?;
        }
        Ok(frame)
    }

    /// Reads the texts of a series of annotations, one for each of its [`times`](NwbSeries::times).
    ///
    /// # Errors
    /// [`Error::Hdf5`] if they cannot be read, and as [`times`](NwbSeries::times).
    pub fn texts(&self) -> Result<Vec<String>, Error> {
        let (rows, _) = self.axis()?;
        let mut texts = self.0.file.texts(&self.data())?;
        texts.truncate(rows.end);
        Ok(texts.split_off(rows.start.min(texts.len())))
    }

    /// Reads a series of arrays.
    ///
    /// # Errors
    /// As [`tsd`](NwbSeries::tsd), of any shape.
    pub fn tensor<B: Backend>(&self) -> Result<TsdTensor<B>, Error> {
        let (axis, values) = self.read()?;
        Ok(TsdTensor::from_array(axis, &values)?)
    }

    /// Times and values of the stretch that was asked for.
    fn read(&self) -> Result<(Ts, ArrayD<f64>), Error> {
        let (rows, axis) = self.axis()?;
        let data = self.data();
        let mut values = self.0.file.rows(&data, rows)?;
        let conversion = self.0.file.number(&data, "conversion")?.unwrap_or(1.0);
        let offset = self.0.file.number(&data, "offset")?.unwrap_or(0.0);
        self.convert_channels(&mut values)?;
        if (conversion, offset) != (1.0, 0.0) {
            values.mapv_inplace(|value| value * conversion + offset);
        }
        Ok((axis, values))
    }

    /// Multiplies each channel by a factor of its own, where the series has such factors.
    fn convert_channels(&self, values: &mut ArrayD<f64>) -> Result<(), Error> {
        if !self.0.has("channel_conversion")? {
            return Ok(());
        }
        let factors = self.0.file.floats(&self.0.dataset("channel_conversion"))?;
        let n_channels = values.shape().get(1).copied().unwrap_or(1);
        if factors.len() != n_channels {
            return Err(Error::SeriesChannels {
                name: self.0.path.clone(),
                got: factors.len(),
                expected: n_channels,
            });
        }
        if values.ndim() < 2 {
            factors.iter().for_each(|factor| *values *= *factor);
            return Ok(());
        }
        let channels = values.axis_iter_mut(Axis(1));
        channels.zip(&factors).for_each(|(mut channel, factor)| channel *= *factor);
        Ok(())
    }

    /// The rows of the stretch that was asked for, and their times.
    fn axis(&self) -> Result<(Range<usize>, Ts), Error> {
        let n_samples = self.shape()?.first().copied().unwrap_or(0);
        match self.source()? {
            Times::Even { start, rate } => {
                let rows = match self.0.between {
                    None => 0..n_samples,
                    Some((from, to)) => {
                        // One too many on either side, for what rounding does; the times decide.
                        let row = |time: f64| ((time - start) * rate) as usize;
                        row(from).saturating_sub(1).min(n_samples)..row(to).saturating_add(2).min(n_samples)
                    }
                };
                // Data that were never written take no space in a file, but their times would.
                if self.0.file.is_too_large(rows.len()) {
                    return Err(Error::SeriesTimes {
                        name: self.0.path.clone(),
                        times: 0,
                        samples: rows.len(),
                    });
                }
                let times: Vec<f64> = rows.clone().map(|row| start + row as f64 / rate).collect();
                let first = self.0.between.map_or(0, |(from, _)| times.partition_point(|&time| time < from));
                let last = self
                    .0
                    .between
                    .map_or(times.len(), |(_, to)| times.partition_point(|&time| time <= to));
                let last = last.max(first);
                Ok((rows.start + first..rows.start + last, Ts::new(&times[first..last])?))
            }
            Times::Written(path) => {
                let n_times = self.0.file.shape(&path)?.iter().product();
                if n_times != n_samples {
                    return Err(Error::SeriesTimes {
                        name: self.0.path.clone(),
                        times: n_times,
                        samples: n_samples,
                    });
                }
                let rows = match self.0.between {
                    None => 0..n_samples,
                    Some((from, to)) => {
                        let first = self.0.file.first_row(&path, 0..n_samples, |time| time >= from)?;
                        first..self.0.file.first_row(&path, first..n_samples, |time| time > to)?
                    }
                };
                let times = in_rows(self.0.file.rows(&path, rows.clone())?);
                Ok((rows, Ts::new(times)?))
            }
        }
    }

    fn source(&self) -> Result<Times, Error> {
        if self.0.has("timestamps")? {
            return Ok(Times::Written(self.0.dataset("timestamps")));
        }
        let path = self.0.dataset("starting_time");
        let start = self.0.file.floats(&path)?.first().copied().unwrap_or(f64::NAN);
        let rate = self.0.file.number(&path, "rate")?.unwrap_or(f64::NAN);
        if !(rate > 0.0 && rate.is_finite() && start.is_finite()) {
            return Err(Error::SeriesRate {
                name: self.0.path.clone(),
                start,
                rate,
            });
        }
        Ok(Times::Even { start, rate })
    }

    fn data(&self) -> String {
        self.0.dataset("data")
    }

    fn wrong_shape(&self, values: &ArrayD<f64>, wanted: &'static str, instead: &'static str) -> Error {
        Error::SeriesShape {
            name: self.0.path.clone(),
            shape: values.shape()[1..].to_vec(),
            wanted,
            instead,
        }
    }
}
