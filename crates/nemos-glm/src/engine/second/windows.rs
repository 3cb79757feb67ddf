//! Sums over windows that slide along segments, and their products.

use std::collections::VecDeque;

use ndarray::{Array1, Array2};

/// Products of sums over windows of `lag + 1` rows, each beginning or ending inside a segment.
pub(crate) struct Windows {
    products: Array2<f64>,
    /// The scores of the window, oldest first.
    scores: VecDeque<Array1<f64>>,
    sum: Array1<f64>,
    length: usize,
}

impl Windows {
    pub(crate) fn new(n_parameters: usize, lag: usize) -> Self {
        Windows {
            products: Array2::zeros((n_parameters, n_parameters)),
            scores: VecDeque::new(),
            sum: Array1::zeros(n_parameters),
            length: lag + 1,
        }
    }

    pub(crate) fn add(&mut self, score: Array1<f64>) {
        self.sum += &score;
        self.scores.push_back(score);
        if self.scores.len() > self.length {
            self.drop_oldest();
        }
        self.add_product(1.0);
    }

    fn drop_oldest(&mut self) {
        if let Some(oldest) = self.scores.pop_front() {
            self.sum -= &oldest;
        }
    }

    fn add_product(&mut self, times: f64) {
        let (sum, products) = (&self.sum, &mut self.products);
        for (i, a) in sum.iter().enumerate() {
            for (j, b) in sum.iter().take(i + 1).enumerate() {
                products[(i, j)] += times * a * b;
            }
        }
    }

    /// The windows that reach beyond the end of a segment: first those that hold all that there is, and then those that
    /// lose one row after the other.
    pub(crate) fn close(&mut self) {
        let held = self.scores.len();
        if held == 0 {
            return;
        }
        self.add_product((self.length - held) as f64);
        for _ in 1..held {
            self.drop_oldest();
            self.add_product(1.0);
        }
        self.scores.clear();
        self.sum.fill(0.0);
    }

    pub(crate) fn finish(mut self) -> Array2<f64> {
        self.close();
        self.products / self.length as f64
    }
}
