//! Sums over whole segments, and their products.

use std::collections::VecDeque;

use ndarray::Array2;

use crate::engine::numbers::Numbers;
use crate::engine::shards::{self, Sum};

/// Products of sums over segments. Only the first and the last segment of a shard may go on in another one: of all others
/// nothing but their products is kept.
pub(crate) struct SegmentSums {
    products: Vec<Array2<f64>>,
    /// Segments whose sums are not whole yet, in order.
    open: VecDeque<(usize, Vec<f64>)>,
    n_parameters: usize,
}

impl SegmentSums {
    pub(crate) fn new(n_parameters: usize, n_columns: usize) -> Self {
        SegmentSums {
            products: vec![Array2::zeros((n_parameters, n_parameters)); n_columns],
            open: VecDeque::new(),
            n_parameters,
        }
    }

    pub(crate) fn add(&mut self, segment: usize, scores: Vec<f64>) {
        match self.open.back_mut() {
            Some((last, sum)) if *last == segment => shards::add(sum, &scores),
            _ => self.open.push_back((segment, scores)),
        }
        // What lies between the first and the last is whole.
        while self.open.len() > 2 {
            if let Some((_, sum)) = self.open.remove(1) {
                self.close(&sum);
            }
        }
    }

    fn close(&mut self, sum: &[f64]) {
        for (product, score) in self.products.iter_mut().zip(sum.chunks_exact(self.n_parameters)) {
            add_outer(product, score);
        }
    }

    pub(crate) fn finish(mut self) -> Vec<Array2<f64>> {
        self.settle();
        self.products
    }
}

impl Sum for SegmentSums {
    fn merge(&mut self, later: Self) {
        self.products.iter_mut().zip(&later.products).for_each(|(a, b)| *a += b);
        for (segment, sum) in later.open {
            self.add(segment, sum);
        }
    }

    /// No segment goes on in another process.
    fn settle(&mut self) {
        while let Some((_, sum)) = self.open.pop_front() {
            self.close(&sum);
        }
    }

    fn pack(&self, to: &mut Vec<f64>) {
        self.products.iter().for_each(|product| to.extend(product));
    }

    fn unpack(&mut self, from: &mut Numbers<'_>) -> Option<()> {
        self.products.iter_mut().try_for_each(|product| from.fill_matrix(product))
    }
}

/// Adds the lower triangle of `score · scoreᵀ`.
fn add_outer(sum: &mut Array2<f64>, score: &[f64]) {
    for (i, a) in score.iter().enumerate() {
        for (j, b) in score[..=i].iter().enumerate() {
            sum[(i, j)] += a * b;
        }
    }
}
