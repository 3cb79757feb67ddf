//! Sines and cosines of one or several inputs.

use std::f64::consts::TAU;
use std::ops::Range;

use nemos_core::simd::{sin_cos_turns, vectorized};
use nemos_core::tensor::{Tensor, TensorData, backend::Backend as BurnBackend};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::bounds::Bounds;
use crate::spec::{Evaluate, Mode, Spec};
use crate::strided::{Pointwise, Strided};

/// Which whole frequencies a Fourier basis has along one dimension, in periods per length of the bounds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frequencies {
    /// From 0 up to, but without, this one.
    Below(usize),
    /// These, one after the other.
    Between(Range<usize>),
    /// Exactly these; they are sorted.
    Listed(Vec<usize>),
}

impl Frequencies {
    fn list(&self) -> Vec<usize> {
        match self {
            Frequencies::Below(end) => (0..*end).collect(),
            Frequencies::Between(range) => range.clone().collect(),
            Frequencies::Listed(list) => {
                let mut list = list.clone();
                list.sort_unstable();
                list
            }
        }
    }
}

impl From<usize> for Frequencies {
    fn from(end: usize) -> Self {
        Frequencies::Below(end)
    }
}

impl From<Range<usize>> for Frequencies {
    fn from(range: Range<usize>) -> Self {
        Frequencies::Between(range)
    }
}

impl From<Vec<usize>> for Frequencies {
    fn from(list: Vec<usize>) -> Self {
        Frequencies::Listed(list)
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Mask {
    WithoutConstant,
    All,
    Listed(Vec<bool>),
}

/// Sines and cosines of one or several inputs.
///
/// ```text
/// cos(2π Σ(d) f(d) u(d)) for every combination f of frequencies, then sin(…) of each but the constant
/// ```
/// `u` is the sample scaled from its bounds to 0..1, with period one. In combinations the last dimension goes fastest.
///
/// # Shapes
/// One input `[n_samples, n_columns]` per dimension, of equal width, gives `[n_samples, n_columns · n_functions]`, where
/// `n_functions` is twice the number of combinations, less one where the constant is kept.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `dimensions` | one | the same frequencies along each of several inputs |
/// | `with_constant` | left out | keeps the combination of zeros |
/// | `mask`, `keep_where` | all but the constant | which combinations stay |
/// | `bounds` | smallest and largest sample of each column | one period; samples outside wrap around |
///
/// # Errors
/// [`Error::NoFrequency`] if no combination stays; [`Error::FrequencyRange`], [`Error::FrequencyMask`] if range or mask do not fit.
///
/// # Example
/// ```
/// use nemos_basis::{Family, Fourier};
/// let grid = Fourier::new(3).bounds(0.0, 4.0).on_grid([5])?;          // cos 1, cos 2, sin 1, sin 2
/// assert_eq!(grid.values.row(1).to_vec(), [0.0, -1.0, 1.0, 0.0]);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[doc(alias = "FourierEval")]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[must_use]
pub struct Fourier {
    frequencies: Vec<Frequencies>,
    mask: Mask,
    bounds: Bounds,
}

impl Fourier {
    /// These frequencies of one input: `5` for 0 to 4, `2..5` for 2 to 4, or a list.
    pub fn new(frequencies: impl Into<Frequencies>) -> Self {
        Fourier {
            frequencies: vec![frequencies.into()],
            mask: Mask::WithoutConstant,
            bounds: Bounds::default(),
        }
    }

    /// These frequencies, one entry for each input.
    pub fn of_inputs<F: Into<Frequencies>>(frequencies: impl IntoIterator<Item = F>) -> Self {
        Fourier {
            frequencies: frequencies.into_iter().map(Into::into).collect(),
            mask: Mask::WithoutConstant,
            bounds: Bounds::default(),
        }
    }

    /// The same frequencies, as those of the first input, along each of this many inputs.
    pub fn dimensions(mut self, n_inputs: usize) -> Self {
        self.frequencies = self.frequencies.into_iter().take(1).cycle().take(n_inputs).collect();
        self
    }

    /// Keeps the constant.
    pub fn with_constant(mut self) -> Self {
        self.mask = Mask::All;
        self
    }

    /// Keeps the combinations where this is true, in their order.
    pub fn mask(mut self, kept: impl Into<Vec<bool>>) -> Self {
        self.mask = Mask::Listed(kept.into());
        self
    }

    /// Keeps the combinations of frequencies (one per input) for which this holds.
    pub fn keep_where(self, keep: impl Fn(&[usize]) -> bool) -> Self {
        let kept: Vec<bool> = self.combinations().iter().map(|combination| keep(combination)).collect();
        self.mask(kept)
    }

    /// Sets one period, the same for every input.
    pub fn bounds(self, low: f64, high: f64) -> Self {
        self.bounds_of_inputs([(low, high)])
    }

    /// Sets one period for each input.
    pub fn bounds_of_inputs(mut self, periods: impl Into<Vec<(f64, f64)>>) -> Self {
        self.bounds.set(periods.into());
        self
    }

    fn combinations(&self) -> Vec<Vec<usize>> {
        self.frequencies.iter().fold(vec![Vec::new()], |combinations, dimension| {
            let list = dimension.list();
            let extend = |combination: &Vec<usize>| {
                let combination = combination.clone();
                list.iter()
                    .map(move |&frequency| [combination.as_slice(), &[frequency]].concat())
                    .collect::<Vec<_>>()
            };
            combinations.iter().flat_map(extend).collect()
        })
    }

    /// The combinations of frequencies that stay, one entry per input.
    pub fn kept_frequencies(&self) -> Vec<Vec<usize>> {
        let all = self.combinations();
        let keep = |index: usize, combination: &[usize]| match &self.mask {
            Mask::All => true,
            Mask::WithoutConstant => index > 0 || combination.iter().any(|&frequency| frequency > 0),
            Mask::Listed(kept) => kept.get(index).copied().unwrap_or(false),
        };
        all.into_iter()
            .enumerate()
            .filter(|(index, combination)| keep(*index, combination))
            .map(|(_, combination)| combination)
            .collect()
    }

    fn has_constant(kept: &[Vec<usize>]) -> bool {
        kept.first().is_some_and(|first| first.iter().all(|&frequency| frequency == 0))
    }
}

impl Spec for Fourier {
    fn name(&self) -> &'static str {
        "Fourier"
    }

    fn validate(&self) -> Result<(), Error> {
        for frequencies in &self.frequencies {
            if let Frequencies::Between(range) = frequencies
                && range.is_empty()
            {
                return Err(Error::FrequencyRange {
                    start: range.start,
                    end: range.end,
                });
            }
        }
        if let Mask::Listed(kept) = &self.mask
            && kept.len() != self.combinations().len()
        {
            return Err(Error::FrequencyMask {
                got: kept.len(),
                expected: self.combinations().len(),
            });
        }
        if self.frequencies.is_empty() || self.kept_frequencies().is_empty() {
            return Err(Error::NoFrequency);
        }
        self.bounds.validate(self.name())
    }

    fn n_functions(&self) -> usize {
        let kept = self.kept_frequencies();
        2 * kept.len() - usize::from(Self::has_constant(&kept))
    }

    fn n_inputs(&self) -> usize {
        self.frequencies.len()
    }

    fn bounds(&self) -> Option<&Bounds> {
        Some(&self.bounds)
    }

    fn bounds_mut(&mut self) -> Option<&mut Bounds> {
        Some(&mut self.bounds)
    }

    /// Samples outside wrap around.
    fn fills(&self, _mode: Mode) -> bool {
        false
    }

    /// The product of waves of two inputs is what waves of several dimensions are.
    fn multiplies_its_own(&self) -> bool {
        false
    }

    fn evaluate(&self, _spans: &[f64]) -> Evaluate<'_> {
        let kept = self.kept_frequencies();
        Evaluate::EachSample(Box::new(Waves {
            has_constant: Self::has_constant(&kept),
            frequencies: (0..self.frequencies.len())
                .map(|input| kept.iter().map(|combination| combination[input] as f64).collect())
                .collect(),
            n_combinations: kept.len(),
        }))
    }

    fn tensor<T: BurnBackend>(&self, unit: Tensor<T, 2>) -> Option<Tensor<T, 2>> {
        let kept = self.kept_frequencies();
        let (device, precision) = (unit.device(), unit.dtype());
        let mut turns: Option<Tensor<T, 2>> = None;
        for input in 0..self.frequencies.len() {
            let row: Vec<f64> = kept.iter().map(|combination| combination[input] as f64).collect();
            let row = TensorData::new(row, [1, kept.len()]).convert_dtype(precision);
            let part = unit.clone().narrow(1, input, 1) * Tensor::from_data(row, (&device, precision));
            turns = Some(match turns {
                Some(sum) => sum + part,
                None => part,
            });
        }
        let turns = turns.expect("at least one input, checked in validate");
        let angle = (turns.clone() - turns.round()) * TAU;
        let skipped = usize::from(Self::has_constant(&kept));
        if kept.len() == skipped {
            return Some(angle.cos());
        }
        let sines = angle.clone().sin().narrow(1, skipped, kept.len() - skipped);
        Some(Tensor::cat(vec![angle.cos(), sines], 1))
    }
}

struct Waves {
    has_constant: bool,
    /// Per input, one for each combination.
    frequencies: Vec<Vec<f64>>,
    n_combinations: usize,
}

impl Pointwise for Waves {
    fn write(&self, samples: &[&[f64]], out: &mut Strided<'_>) {
        let skipped = usize::from(self.has_constant);
        let n_functions = 2 * self.n_combinations - skipped;
        let mut sines = vec![0.0; self.n_combinations];
        vectorized(|| {
            for row in 0..samples[0].len() {
                let values = out.row(row, n_functions);
                let (cosines, rest) = values.split_at_mut(self.n_combinations);
                for (combination, (cosine, sine)) in cosines.iter_mut().zip(&mut sines).enumerate() {
                    let mut turns = 0.0;
                    for (samples, frequencies) in samples.iter().zip(&self.frequencies) {
                        turns += samples[row] * frequencies[combination];
                    }
                    (*sine, *cosine) = sin_cos_turns(turns);
                }
                rest.copy_from_slice(&sines[skipped..]);
            }
        });
    }
}
