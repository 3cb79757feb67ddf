//! Atoms: one family with everything that its samples decide: bounds, kernels, functions made from all samples at once.

use std::ops::Range;
use std::sync::Arc;

use nemos_core::convolution::Kernel;

use crate::Error;
use crate::basis::{Functions, Kind};
use crate::bounds::Scale;
use crate::filter_bank;
use crate::source::{Source, ranges};
use crate::spec::{AllSamples, Evaluate, Mode, Spec, n_values};
use crate::strided::Pointwise;

/// Bounds, per input and column.
type Pairs = Vec<Vec<(f64, f64)>>;

/// How each column of each input is mapped to 0..1.
type Scales = Vec<Vec<Scale>>;

/// One family, its inputs, and how its values are made.
pub(crate) struct Atom {
    pub(crate) inputs: Range<usize>,
    /// Columns of each input.
    pub(crate) columns: usize,
    pub(crate) functions: usize,
    /// Values that each function gives for one sample.
    pub(crate) entries: usize,
    pub(crate) work: Work,
    /// Bounds per input and column with the value that replaces rows outside.
    pub(crate) outside: Option<(Pairs, f64)>,
}

/// How the values of an atom are made.
pub(crate) enum Work {
    /// From each sample on its own.
    Pointwise {
        kind: Kind,
        scales: Scales,
        /// One for all columns, or one for each.
        functions: Vec<Box<dyn Pointwise>>,
    },
    /// From a window of samples.
    Filter { kernel: Arc<Kernel>, lead: isize },
    /// Already made from all samples at once: `[n_samples, n_columns · n_functions]`.
    Stored(Vec<f64>),
}

impl Atom {
    pub(crate) fn new(functions: &Functions, inputs: Range<usize>, label: &str, source: &dyn Source, mode: Mode) -> Result<Self, Error> {
        let spec = functions.spec();
        let columns = source.columns()[inputs.start].n;
        if mode == Mode::Features
            && let (Some(kernel), Some(window)) = (filter_bank::kernel(functions)?, functions.window())
        {
            return Ok(Atom {
                inputs,
                columns,
                functions: kernel.n_functions(),
                entries: 1,
                work: Work::Filter {
                    kernel: Arc::new(kernel),
                    lead: window.lead(),
                },
                outside: None,
            });
        }
        let outside = match spec.bounds().filter(|bounds| bounds.is_given() && spec.fills(mode)) {
            Some(bounds) => Some((bounds.by_column(spec.name(), inputs.len(), columns)?, bounds.fill())),
            None => None,
        };
        if spec.is_selective() {
            source.visit(inputs.start, &mut |first, samples| spec.check_samples(samples, columns, first))?;
        }
        let scales = scales(spec, &inputs, columns, label, source)?;
        Ok(Atom {
            work: work(functions.kind(), scales, columns, inputs.start, source)?,
            inputs,
            columns,
            functions: spec.n_functions(),
            entries: n_values(spec),
            outside,
        })
    }

    pub(crate) fn channels(&self) -> usize {
        self.columns * self.entries
    }

    /// Samples before and after a row that it needs.
    pub(crate) fn halo(&self) -> (usize, usize) {
        match &self.work {
            Work::Filter { kernel, lead } => {
                let before = kernel.window() as isize - 1 - lead;
                (before.max(0) as usize, (*lead).max(0) as usize)
            }
            _ => (0, 0),
        }
    }
}

fn work(kind: &Kind, scales: Scales, columns: usize, input: usize, source: &dyn Source) -> Result<Work, Error> {
    let spec = kind.spec();
    let spans = |column: usize| scales.iter().map(|scales| scales[column].span).collect::<Vec<_>>();
    // Functions are made once for all columns, unless the bounds of each enter its values.
    let n_distinct = if spec.is_density() { columns } else { columns.min(1) };
    let mut pointwise = Vec::with_capacity(n_distinct);
    for column in 0..n_distinct {
        match spec.evaluate(&spans(column)) {
            Evaluate::EachSample(functions) => pointwise.push(functions),
            Evaluate::AllSamples(functions) => return stored(&functions, &scales[0], spec.n_functions(), input, source),
        }
    }
    Ok(Work::Pointwise {
        kind: kind.clone(),
        scales,
        functions: pointwise,
    })
}

/// Every column with its functions of all samples.
fn stored(functions: &AllSamples<'_>, scales: &[Scale], n_functions: usize, input: usize, source: &dyn Source) -> Result<Work, Error> {
    let columns = scales.len();
    if source.n_samples() == 0 {
        return Ok(Work::Stored(Vec::new()));
    }
    let mut samples = Vec::with_capacity(source.n_samples() * columns);
    source.visit(input, &mut |_, chunk| {
        samples.extend_from_slice(chunk);
        Ok(())
    })?;
    let mut values = vec![0.0; samples.len() * n_functions];
    for (column, scale) in scales.iter().enumerate() {
        let unit: Vec<f64> = samples
            .iter()
            .skip(column)
            .step_by(columns)
            .map(|&sample| scale.unit(sample))
            .collect();
        for (row, functions) in functions(&unit)?.chunks_exact(n_functions).enumerate() {
            values[(row * columns + column) * n_functions..][..n_functions].copy_from_slice(functions);
        }
    }
    Ok(Work::Stored(values))
}

/// How each column of each input is mapped to 0..1: by the bounds, or by the samples where there are none.
fn scales(spec: &dyn Spec, inputs: &Range<usize>, columns: usize, label: &str, source: &dyn Source) -> Result<Scales, Error> {
    let Some(bounds) = spec.bounds().filter(|_| spec.scales()) else {
        return Ok(vec![vec![Scale::UNIT; columns]; inputs.len()]);
    };
    let pairs = if bounds.is_given() {
        bounds.by_column(spec.name(), inputs.len(), columns)?
    } else {
        inputs
            .clone()
            .map(|input| ranges(input, columns, label, source))
            .collect::<Result<_, _>>()?
    };
    Ok(pairs.into_iter().map(|pairs| pairs.into_iter().map(Scale::new).collect()).collect())
}
