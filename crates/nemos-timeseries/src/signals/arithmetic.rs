//! `+ − × ÷` of signals and numbers, and of signals at the same times.

use std::ops::{Add, Div, Mul, Sub};

use nemos_core::{Backend, Matrix, first_time_apart};

use super::kind::Kind;
use super::signal::Signal;
use crate::Error;

impl<B: Backend, K: Kind> Signal<B, K> {
    /// The same times and names with other values.
    fn each(&self, operation: impl FnOnce(&Matrix<B>) -> Matrix<B>) -> Self {
        let (axis, values, kind) = self.clone().into_parts();
        Signal::assembled(axis, operation(&values), kind)
    }

    /// The values of two signals at the same times; a right one of a single column goes with every column.
    fn with<J: Kind>(
        &self,
        right: &Signal<B, J>,
        operation: impl FnOnce(&Matrix<B>, &Matrix<B>) -> Result<Matrix<B>, nemos_core::Error>,
    ) -> Result<Self, Error> {
        let values = operation(self.values(), right.values())?;
        let (left, right) = (self.sample_times(), right.sample_times());
        if let Some(row) = first_time_apart(left, right) {
            return Err(Error::Data(nemos_core::Error::TimesDiffer {
                left_name: "the left signal",
                left: left[row],
                right_name: "the right one",
                right: right[row],
                row,
            }));
        }
        Ok(self.each(|_| values))
    }
}

impl<B: Backend, K: Kind> Add<f64> for &Signal<B, K> {
    type Output = Signal<B, K>;

    fn add(self, right: f64) -> Self::Output {
        self.each(|values| values + right)
    }
}

impl<B: Backend, K: Kind> Sub<f64> for &Signal<B, K> {
    type Output = Signal<B, K>;

    fn sub(self, right: f64) -> Self::Output {
        self.each(|values| values - right)
    }
}

impl<B: Backend, K: Kind> Mul<f64> for &Signal<B, K> {
    type Output = Signal<B, K>;

    fn mul(self, right: f64) -> Self::Output {
        self.each(|values| values * right)
    }
}

impl<B: Backend, K: Kind> Div<f64> for &Signal<B, K> {
    type Output = Signal<B, K>;

    fn div(self, right: f64) -> Self::Output {
        self.each(|values| values / right)
    }
}

impl<B: Backend, K: Kind, J: Kind> Add<&Signal<B, J>> for &Signal<B, K> {
    type Output = Result<Signal<B, K>, Error>;

    fn add(self, right: &Signal<B, J>) -> Self::Output {
        self.with(right, |left, right| left + right)
    }
}

impl<B: Backend, K: Kind, J: Kind> Sub<&Signal<B, J>> for &Signal<B, K> {
    type Output = Result<Signal<B, K>, Error>;

    fn sub(self, right: &Signal<B, J>) -> Self::Output {
        self.with(right, |left, right| left - right)
    }
}

impl<B: Backend, K: Kind, J: Kind> Mul<&Signal<B, J>> for &Signal<B, K> {
    type Output = Result<Signal<B, K>, Error>;

    fn mul(self, right: &Signal<B, J>) -> Self::Output {
        self.with(right, |left, right| left * right)
    }
}

impl<B: Backend, K: Kind, J: Kind> Div<&Signal<B, J>> for &Signal<B, K> {
    type Output = Result<Signal<B, K>, Error>;

    fn div(self, right: &Signal<B, J>) -> Self::Output {
        self.with(right, |left, right| left / right)
    }
}

#[cfg(test)]
mod tests {
    use nemos_core::Cpu;

    use crate::{Ts, Tsd, TsdFrame};

    fn tsd(start: f64, values: &[f64]) -> Tsd<Cpu> {
        Tsd::new(Ts::regular(start, 0.1, values.len()).expect("a step"), values.to_vec()).expect("as many values as times")
    }

    #[test]
    fn numbers_and_signals_at_the_same_times_go_together() {
        let counts = tsd(0.0, &[1.0, 2.0, 4.0]);
        assert_eq!((&counts / 0.1).to_vec(), [10.0, 20.0, 40.0]);
        assert_eq!((&counts * &(&counts - 1.0)).unwrap().to_vec(), [0.0, 2.0, 12.0]);
        let axis = counts.axis().clone();
        let frame = TsdFrame::<Cpu>::new(axis, ndarray::array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]).unwrap();
        assert_eq!((&frame / &counts).unwrap().values().to_vec(), [1.0, 2.0, 1.5, 2.0, 1.25, 1.5]);
    }

    #[test]
    fn signals_at_other_times_are_refused() {
        assert!((&tsd(0.0, &[1.0, 2.0]) + &tsd(0.05, &[1.0, 2.0])).is_err());
        assert!((&tsd(0.0, &[1.0, 2.0]) + &tsd(0.0, &[1.0, 2.0, 3.0])).is_err());
    }
}
