//! Phase and envelope of an oscillation.

use nemos_core::Backend;
use realfft::RealFftPlanner;
use realfft::num_complex::Complex;

use crate::Error;
use crate::signals::{Kind, Signal};

impl<B: Backend, K: Kind> Signal<B, K> {
    /// The phase of an oscillation in `[0, 2π)`, 0 at its peak: the angle of the analytic signal, within epochs. Samples count
    /// as even.
    ///
    /// # Errors
    /// [`Error::Missing`] at a NaN.
    #[doc(alias("compute_hilbert_phase", "apply_hilbert_transform"))]
    pub fn phase(&self) -> Result<Self, Error> {
        self.check_complete()?;
        let turn = std::f64::consts::TAU;
        self.map_columns(|_, values| {
            let angle = |(imaginary, real): (f64, &f64)| {
                let angle = imaginary.atan2(*real).rem_euclid(turn);
                // A tiny negative angle rounds to a whole turn.
                if angle < turn { angle } else { 0.0 }
            };
            Ok(hilbert(values).into_iter().zip(values).map(angle).collect())
        })
    }

    /// The amplitude of an oscillation: the length of the analytic signal, within epochs. Samples count as even.
    ///
    /// # Errors
    /// [`Error::Missing`] at a NaN.
    #[doc(alias = "compute_hilbert_envelope")]
    pub fn envelope(&self) -> Result<Self, Error> {
        self.check_complete()?;
        self.map_columns(|_, values| {
            let length = |(imaginary, real): (f64, &f64)| imaginary.hypot(*real);
            Ok(hilbert(values).into_iter().zip(values).map(length).collect())
        })
    }
}

/// The imaginary part of the analytic signal: every frequency turned back by a quarter.
fn hilbert(values: &[f64]) -> Vec<f64> {
    let n_values = values.len();
    if n_values < 2 {
        return vec![0.0; n_values];
    }
    let mut planner = RealFftPlanner::<f64>::new();
    let (forward, inverse) = (planner.plan_fft_forward(n_values), planner.plan_fft_inverse(n_values));
    let mut spectrum = forward.make_output_vec();
    forward
        .process(&mut values.to_vec(), &mut spectrum)
        .expect("invariant: lengths are those of the plan");
    for value in &mut spectrum {
        *value = Complex::new(value.im, -value.re) / n_values as f64;
    }
    // Neither the mean nor the highest frequency of an even number of samples has a phase to turn.
    spectrum[0] = Complex::new(0.0, 0.0);
    if n_values.is_multiple_of(2) {
        spectrum[n_values / 2] = Complex::new(0.0, 0.0);
    }
    let mut out = inverse.make_output_vec();
    inverse
        .process(&mut spectrum, &mut out)
        .expect("invariant: lengths are those of the plan");
    out
}

#[cfg(test)]
mod tests {
    use crate::{Ts, Tsd};
    use nemos_core::Cpu;

    #[test]
    fn a_cosine_has_its_own_phase_and_a_constant_envelope() {
        for n_samples in [200, 201] {
            let turns = |at: usize| std::f64::consts::TAU * 8.0 * at as f64 / n_samples as f64;
            let wave: Vec<f64> = (0..n_samples).map(|at| 3.0 * turns(at).cos()).collect();
            let wave = Tsd::<Cpu>::new(Ts::regular(0.0, 0.01, n_samples).unwrap(), wave).unwrap();
            let (phase, envelope) = (wave.phase().unwrap().to_vec(), wave.envelope().unwrap().to_vec());
            for at in 0..n_samples {
                let off = phase[at] - turns(at);
                assert!(off.sin().abs() < 1e-9 && off.cos() > 0.0, "{at}: {off}");
                assert!((envelope[at] - 3.0).abs() < 1e-9);
            }
        }
        assert_eq!(
            Tsd::<Cpu>::new(Ts::new([1.0]).unwrap(), vec![2.0])
                .unwrap()
                .envelope()
                .unwrap()
                .to_vec(),
            [2.0]
        );
    }
}
