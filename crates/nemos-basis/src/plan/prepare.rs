//! What the samples decide: bounds, kernels, functions made from all samples at once.

use std::ops::Range;
use std::sync::Arc;

use crate::bounds::Scale;
use crate::convolve::Kernel;
use crate::kind::Kind;
use crate::plan::{Atom, Work};
use crate::spec::Spec;
use crate::{Error, Window};

/// What is wanted of a basis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Features: filters convolve, and rows outside the bounds are filled.
    Features,
    /// The functions as they are, at every sample.
    Functions,
}

/// Receives a first row and the samples from there on, row after row.
pub(crate) type Visitor<'a> = &'a mut dyn FnMut(usize, &[f64]) -> Result<(), Error>;

/// Where samples are read from before there is a plan.
pub(crate) trait Source {
    /// Columns of every input.
    fn widths(&self) -> Vec<usize>;

    fn n_samples(&self) -> usize;

    /// Shows all samples of an input, in blocks of rows.
    fn visit(&self, input: usize, visitor: Visitor<'_>) -> Result<(), Error>;
}

/// Works out one family.
pub(crate) fn atom(
    kind: &Kind,
    window: Option<Window>,
    inputs: Range<usize>,
    label: &str,
    (source, mode): (&dyn Source, Mode),
) -> Result<Atom, Error> {
    let spec = kind.spec();
    let columns = source.widths()[inputs.start];
    let mut atom = Atom {
        kind: kind.clone(),
        inputs,
        columns,
        functions: spec.n_functions(),
        work: Work::Stored(Vec::new()),
        outside: None,
    };
    if let Some(window) = window {
        let kernel = Kernel::new(kind, window.n_samples())?;
        atom.functions = kernel.n_functions();
        atom.work = Work::Filter {
            kernel: Arc::new(kernel),
            lead: window.lead(),
        };
        return Ok(atom);
    }
    if let Some(bounds) = spec.bounds().filter(|bounds| bounds.is_given() && spec.fills()) {
        // The identity replaces what is outside even where functions are asked for as they are.
        if mode == Mode::Features || matches!(kind, Kind::Identity(_)) {
            let pairs = bounds.by_column(spec.name(), atom.inputs.len(), columns)?;
            atom.outside = Some((pairs, bounds.fill()));
        }
    }
    if let Kind::Category(category) = kind
        && category.refuses()
    {
        source.visit(atom.inputs.start, &mut |first, samples| category.check(samples, columns, first))?;
    }
    let scales = scales(spec, &atom.inputs, columns, label, source)?;
    atom.work = match kind {
        Kind::OrthogonalizedExponential(family) if source.n_samples() > 0 => {
            let mut values = vec![0.0; source.n_samples() * columns * atom.functions];
            let mut samples = Vec::with_capacity(source.n_samples() * columns);
            source.visit(atom.inputs.start, &mut |_, block| {
                samples.extend_from_slice(block);
                Ok(())
            })?;
            for column in 0..columns {
                let unit = samples
                    .iter()
                    .skip(column)
                    .step_by(columns)
                    .map(|&sample| scales[0][column].unit(sample));
                let functions = family.orthogonalized(&unit.collect::<Vec<_>>())?;
                for (row, functions) in functions.chunks_exact(atom.functions).enumerate() {
                    values[(row * columns + column) * atom.functions..][..atom.functions].copy_from_slice(functions);
                }
            }
            Work::Stored(values)
        }
        // As functions, lags are the kernel that they are: one at each sample of the window.
        Kind::History(_) => {
            let lag = |row: usize, function: usize| if row == function { 1.0 } else { 0.0 };
            let row = |row: usize| (0..columns * atom.functions).map(move |at| lag(row, at % atom.functions));
            Work::Stored((0..source.n_samples()).flat_map(row).collect())
        }
        _ => {
            let n_distinct = if spec.is_density() { columns } else { columns.min(1) };
            let functions = (0..n_distinct)
                .filter_map(|column| spec.host(&scales.iter().map(|scales| scales[column].span).collect::<Vec<_>>()))
                .collect();
            Work::Pointwise { scales, functions }
        }
    };
    Ok(atom)
}

/// How each column of each input is mapped to 0..1: by the bounds, or by the samples where there are none.
fn scales(spec: &dyn Spec, inputs: &Range<usize>, columns: usize, label: &str, source: &dyn Source) -> Result<Vec<Vec<Scale>>, Error> {
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

/// The smallest and the largest sample of each column.
pub(crate) fn ranges(input: usize, columns: usize, label: &str, source: &dyn Source) -> Result<Vec<(f64, f64)>, Error> {
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); columns];
    source.visit(input, &mut |first, samples| {
        for (row, samples) in samples.chunks_exact(columns.max(1)).enumerate() {
            for (column, &sample) in samples.iter().enumerate() {
                if sample.is_infinite() {
                    let (name, row) = ("an input without bounds", first + row);
                    return Err(nemos_core::Error::Infinite { name, row, column }.into());
                }
                // Comparisons with NaN are false.
                let (low, high) = &mut ranges[column];
                *low = if sample < *low { sample } else { *low };
                *high = if sample > *high { sample } else { *high };
            }
        }
        Ok(())
    })?;
    if source.n_samples() == 0 {
        return Ok(vec![(0.0, 1.0); columns]);
    }
    match ranges.iter().position(|(low, high)| low > high) {
        Some(column) => Err(Error::AllMissing {
            label: label.into(),
            column,
        }),
        None => Ok(ranges),
    }
}
