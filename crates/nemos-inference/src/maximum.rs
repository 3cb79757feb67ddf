//! Whether a model is at its maximum on these data, and whether that is a finite one.

use ndarray::{Array1, Array2, Axis, concatenate};
use nemos_core::{Backend, row_chunks};
use nemos_solvers::{Objective, Order, Request, Status};

use crate::{Error, Inference, Unavailable};

// A fit that is further from its maximum than this, in nats, is no fit of these data.
const OFF: f64 = 0.1;
// A classifier whose logarithms of odds would still move by this much is on its way to infinity.
const MOVES: f64 = 0.5;

/// What is left to go for one neuron.
struct Left {
    /// The next step of Newton's method, for standardised features.
    step: Array1<f64>,
    /// What it gains, in nats: half of the squared decrement.
    nats: f64,
    /// What of that may be rounding.
    rounding: f64,
}

impl<B: Backend> Inference<'_, B> {
    /// Fails where the model is not at its maximum, unless that was allowed, and takes the informations of classifiers that have none.
    ///
    /// Along a direction in which a likelihood rises for ever its slope and its curvature vanish together: however little there is to
    /// gain, the step to it stays as long.
    pub(crate) fn check_maximum(&mut self) -> Result<(), Error> {
        let is_classifier = self.model.n_predictors() > 1;
        if self.sparse.is_some() || (self.settings.even_if_not_converged && !is_classifier) {
            return Ok(());
        }
        let left = self.left_to_go()?;
        let is_off = |left: &Left| left.nats > OFF + left.rounding;
        if !self.settings.even_if_not_converged
            && let Some((neuron, left)) = left
                .iter()
                .enumerate()
                .find_map(|(neuron, left)| Some((neuron, left.as_ref().filter(|left| is_off(left))?)))
        {
            return Err(Error::OtherData { neuron, nats: left.nats });
        }
        if is_classifier && self.ridge.is_none() {
            for (neuron, moves) in self.moves(&left)?.into_iter().enumerate() {
                if moves > MOVES && self.model.outcome().columns[neuron].status == Status::Converged {
                    self.of_neurons[neuron].bread = Err(Unavailable::NoMaximum);
                }
            }
        }
        Ok(())
    }

    /// `[n_neurons]`; nothing where there is no information.
    fn left_to_go(&self) -> Result<Vec<Option<Left>>, Error> {
        let columns: Vec<usize> = (0..self.n_neurons()).collect();
        let request = Request {
            columns: &columns,
            rows: None,
            order: Order::Gradient,
        };
        let evaluation = self.objective.evaluate(&self.parameters, request)?;
        let each = self.of_neurons.iter().enumerate().map(|(neuron, of)| {
            let bread = of.bread.as_ref().ok()?;
            let (at, to_nats) = (self.parameters.column(neuron), self.objective.loss_factor(neuron) * of.n_rows);
            let slope = evaluation.gradient.column(neuron).iter().enumerate();
            let slope: Array1<f64> = slope
                .map(|(parameter, slope)| slope * to_nats + self.ridge_at(parameter, neuron) * at[parameter])
                .collect();
            let step = bread.inverse.to_array().dot(&slope);
            Some(Left {
                nats: 0.5 * slope.dot(&step) / of.scale,
                rounding: evaluation.values[neuron].abs() * to_nats * self.objective.resolution() / of.scale,
                step,
            })
        });
        Ok(each.collect())
    }

    /// `[n_neurons]`: by how much at most a step moves the logarithm of the odds of two classes, over the complete rows.
    fn moves(&self, left: &[Option<Left>]) -> Result<Vec<f64>, Error> {
        let (width, n_classes) = (self.columns.width(), self.model.n_predictors());
        let (mean, deviation) = (ndarray::aview1(&self.columns.mean), ndarray::aview1(&self.columns.deviation));
        let mut most = vec![0.0_f64; left.len()];
        for range in row_chunks(self.design.n_rows(), 1024) {
            let features = (self.design.chunk(range.clone())?.to_array() - mean) / deviation;
            let rows = concatenate![Axis(1), features, Array2::ones((range.len(), 1))];
            for (most, left) in most.iter_mut().zip(left) {
                let Some(left) = left else { continue };
                let steps = Array2::from_shape_fn((width, n_classes), |(row, class)| left.step[class * width + row]);
                for moved in rows.dot(&steps).rows() {
                    let highest = moved.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                    let lowest = moved.iter().copied().fold(f64::INFINITY, f64::min);
                    // Not a number where a feature is missing.
                    *most = most.max(highest - lowest);
                }
            }
        }
        let all = self.design.gathered(most)?;
        let largest = |neuron: usize| all.iter().map(|most| most[neuron]).fold(0.0, f64::max);
        Ok((0..left.len()).map(largest).collect())
    }
}
