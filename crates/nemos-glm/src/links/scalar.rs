//! Links of one predictor at a time, for loops on the host.

use crate::InverseLink;

/// A link that can be taken of one predictor at a time: what a recurrent simulation calls for each neuron and step.
///
/// The built-in links are. For a link of your own, write the function of its [`InverseLink`] once more, for one number.
///
/// # Example
/// ```
/// use nemos_core::tensor::{Tensor, backend::Backend};
/// use nemos_glm::{InverseLink, ScalarLink};
///
/// /// rate = predictor²
/// #[derive(Clone, Debug)]
/// struct Square;
/// impl InverseLink for Square {
///     fn rate<T: Backend>(&self, predictor: Tensor<T, 2>) -> Tensor<T, 2> {
///         predictor.clone() * predictor
///     }
/// }
/// impl ScalarLink for Square {
///     fn rate_of(&self, predictor: f64) -> f64 {
///         predictor * predictor
///     }
/// }
/// assert!((Square.slope_of(3.0) - 6.0).abs() < 1e-8);
/// ```
pub trait ScalarLink: InverseLink {
    /// The rate at this predictor: the same function as [`InverseLink::rate`].
    fn rate_of(&self, predictor: f64) -> f64;

    /// The derivative of the rate: by a central difference, unless a link knows better.
    fn slope_of(&self, predictor: f64) -> f64 {
        // Central differences lose least near the cube root of the precision.
        let step = 6e-6 * predictor.abs().max(1.0);
        (self.rate_of(predictor + step) - self.rate_of(predictor - step)) / (2.0 * step)
    }
}

#[cfg(test)]
mod tests {
    use nemos_core::{Cpu, Matrix};

    use crate::{Exp, Identity, InverseLink, Logistic, NormalCdf, Reciprocal, ScalarLink, Softplus};

    fn assert_same<L: ScalarLink>(link: L) {
        let predictors = vec![-30.0, -2.5, -0.3, 0.1, 0.7, 3.0, 35.0];
        let rates = Matrix::<Cpu>::from_tensor(link.rate(Matrix::<Cpu>::from_column(predictors.clone()).into_tensor()));
        for (predictor, rate) in predictors.into_iter().zip(rates.to_vec()) {
            let scalar = link.rate_of(predictor);
            assert!(
                (scalar - rate).abs() <= 1e-13 * rate.abs(),
                "{link:?} at {predictor}: {scalar} is not {rate}"
            );
        }
    }

    #[test]
    fn one_number_at_a_time_gives_what_tensors_give() {
        assert_same(Exp);
        assert_same(Softplus);
        assert_same(Identity);
        assert_same(Logistic);
        assert_same(Reciprocal);
        assert_same(NormalCdf);
    }

    /// `link`, without what it knows of its derivative.
    #[derive(Clone, Debug)]
    struct Plain<L>(L);

    impl<L: ScalarLink> InverseLink for Plain<L> {
        fn rate<T: nemos_core::tensor::backend::Backend>(
            &self,
            predictor: nemos_core::tensor::Tensor<T, 2>,
        ) -> nemos_core::tensor::Tensor<T, 2> {
            self.0.rate(predictor)
        }
    }

    impl<L: ScalarLink> ScalarLink for Plain<L> {
        fn rate_of(&self, predictor: f64) -> f64 {
            self.0.rate_of(predictor)
        }
    }

    fn assert_slope<L: ScalarLink>(link: L) {
        for predictor in [-7.0, -1.2, -0.3, 0.4, 2.5, 8.0] {
            let (exact, difference) = (link.slope_of(predictor), Plain(link.clone()).slope_of(predictor));
            assert!(
                (exact - difference).abs() <= 1e-9 * (1.0 + exact.abs()),
                "{link:?} at {predictor}: {exact} {difference}"
            );
        }
    }

    #[test]
    fn slopes_are_derivatives() {
        assert_slope(Exp);
        assert_slope(Softplus);
        assert_slope(Identity);
        assert_slope(Logistic);
        assert_slope(Reciprocal);
        assert_slope(NormalCdf);
    }
}
