//! The memory that the fit of a group takes, and what fits into a limit.

use nemos_core::Backend;
use nemos_solvers::{curvatures_at_a_time, sample_size};

use crate::engine::shards::most_at_once;

/// What the fit of a group may use.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) struct Room {
    /// Rows that are read together.
    pub(crate) block_rows: usize,
    /// Problems that may have a curvature of their own.
    pub(crate) curvatures: usize,
    /// Bytes of curvatures that a shard of a pass may add up.
    pub(crate) curvature_bytes: usize,
    /// Whether all rows may be held for proofs.
    pub(crate) may_hold_rows: bool,
}

// Curvatures of a pass that exist at a time in one shard, in bytes.
const CURVATURE_BYTES: usize = 64 << 20;

impl Room {
    /// All that a fit may want, in blocks of so many rows.
    pub(crate) fn unlimited(block_rows: usize) -> Self {
        Room {
            block_rows,
            curvatures: usize::MAX,
            curvature_bytes: CURVATURE_BYTES,
            may_hold_rows: true,
        }
    }
}

/// What the memory of a fit follows from.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Sizes {
    pub(crate) n_rows: usize,
    /// That are read.
    pub(crate) n_features: usize,
    /// That a neuron uses at most.
    pub(crate) most_features: usize,
    pub(crate) n_neurons: usize,
    pub(crate) n_predictors: usize,
    /// Columns of the counts.
    pub(crate) n_counts: usize,
    /// Numbers for each row of weights and offsets that every neuron has its own of.
    pub(crate) n_beside: usize,
    /// Whether they are some of the neurons, or of the features: of weights and offsets these take a copy.
    pub(crate) is_part: bool,
    /// Whether counts of each block are a copy, of some of the columns or from where they lie.
    pub(crate) counts_are_copied: bool,
    pub(crate) n_threads: usize,
    /// Bytes of a number in a block.
    pub(crate) number: usize,
    pub(crate) has_mask: bool,
    pub(crate) has_ridge: bool,
    pub(crate) is_smooth: bool,
}

impl Sizes {
    /// Bytes that a fit takes where blocks have so many rows: the most that any of its stages does.
    pub(crate) fn bytes(&self, block_rows: usize) -> f64 {
        let of = |n: usize| n as f64;
        let (features, used, neurons) = (of(self.n_features), of(self.most_features), of(self.n_neurons * self.n_predictors));
        let (rows, threads, shards) = (of(block_rows), of(self.n_threads), of(self.sums_at_once(block_rows)));
        let number = of(self.number);
        let copied_counts = match self.counts_are_copied {
            true => threads * rows * number * of(self.n_counts),
            false => 0.0,
        };
        // Features as they are read and as they are centred, counts of the neurons that are not done, weights and offsets, predictors.
        let blocks = threads * rows * number * (2.0 * features + of(self.n_counts + self.n_beside) + neurons) + copied_counts;
        // What products with the features copy of them.
        let copied = threads * rows * number * features;
        let moments = 8.0 * features * features;
        let survey = blocks + moments * shards;
        // What is kept of each set of features that some neurons share, and what its making takes.
        let (kept, made) = (2.0, if self.has_ridge { 7.0 } else { 4.0 });
        let own = 8.0 * used * used;
        let (axes, making) = match self.has_mask {
            true => (kept * own * of(self.n_neurons), made * own * threads),
            false => (kept * moments, made * moments),
        };
        let parameters = 8.0 * (features + 1.0) * neurons;
        let moved = 8.0 * (used + 1.0) * neurons;
        // Starts, where columns are, ridges and flags; then of each pass parameters three times, and the sums of its shards.
        let ridge = if self.has_ridge { 2.0 } else { 0.0 };
        let flags = if self.has_mask { 5.0 / 8.0 } else { 0.0 };
        let of_columns = parameters * (4.0 + ridge + flags) + moved * if self.is_smooth { 26.0 } else { 60.0 };
        // Copies that come and go with each block leave holes, which the numbers of columns fill.
        let holes = (copied_counts - of_columns).max(0.0);
        let pass = parameters * (3.0 + shards + threads) + blocks + holes + copied;
        let copies = if self.is_part {
            of(self.n_rows) * of(self.n_beside) * number
        } else {
            0.0
        };
        copies + survey.max(moments + axes + (making + parameters * 2.0).max(of_columns + pass))
    }

    /// Sums of shards that exist at a time.
    fn sums_at_once(&self, block_rows: usize) -> usize {
        most_at_once(self.n_rows.div_ceil(block_rows.max(1)), self.n_threads)
    }

    /// Bytes that a proof of all rows takes.
    fn proof(&self) -> f64 {
        let n_values = (self.n_rows * (self.n_features + 1)) as f64;
        if n_values > 1e7 {
            return 0.0;
        }
        let counts = (self.n_rows * self.n_counts) as f64;
        8.0 * (2.0 * (n_values + counts) + 4.0 * self.n_threads as f64 * n_values)
    }

    /// Bytes of a look at the curvature of a few neurons: at a sample of the rows, their products, and the curvatures of each shard.
    fn look(&self, block_rows: usize) -> f64 {
        const PRODUCTS: f64 = 192.0;
        let parameters = (self.n_features + 1) * self.n_predictors;
        // Nothing for all rows, block by block.
        let sampled = (sample_size(self.n_rows, parameters) as f64).min(0.5 * self.n_rows as f64);
        let values = 4.0 * self.n_features as f64 + PRODUCTS + 2.0 * self.n_counts as f64;
        let curvatures = curvatures_at_a_time(parameters).min(self.n_neurons) as f64 * (parameters * parameters) as f64;
        8.0 * (sampled * values + (4.0 + self.sums_at_once(block_rows) as f64) * curvatures)
    }

    /// What fits into a limit, if anything does.
    pub(super) fn room(&self, block_rows: usize, limit: f64) -> Option<Room> {
        let bytes = self.bytes(block_rows);
        let left = limit - bytes;
        let look = self.look(block_rows);
        let kept = 8.0 * ((self.most_features + 1) * self.n_predictors).pow(2) as f64;
        (left >= 0.0).then(|| Room {
            block_rows,
            curvatures: ((left - look) / kept).max(0.0) as usize,
            curvature_bytes: ((left / (2 * self.sums_at_once(block_rows)) as f64) as usize).min(CURVATURE_BYTES),
            may_hold_rows: self.proof() <= left,
        })
    }
}

/// Rows that are read together where nothing limits them.
pub(super) fn usual_rows<B: Backend>(sizes: &Sizes) -> usize {
    let columns = sizes.n_neurons * sizes.n_predictors;
    B::chunk_rows(sizes.n_features + sizes.n_counts.max(columns))
}
