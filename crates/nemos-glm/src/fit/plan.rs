//! What a fit will take: told before it starts, and kept to.

use std::fmt;

use ndarray::Array2;
use nemos_core::{Backend, Share, give_back_memory};
use nemos_solvers::{curvatures_at_a_time, sample_size};

use crate::Error;
use crate::engine::shards::most_at_once;
use crate::fit::groups::{Group, by_overlap, together};
use crate::fit::task::{Options, Task};

/// What a fit will take, told before it starts: memory, and how the work is cut so that it takes no more.
///
/// Neurons are fitted a group at a time. Those of a group share passes over the data; groups share nothing. There is one group,
/// unless a [limit](crate::PopulationGlm::memory_limit) is given, or a mask lets neurons use so few features that it saves most of the
/// work to read, for each group, those alone.
///
/// The memory is what a fit takes beside what is there when it starts: the data, and what products of matrices set aside at the first
/// fit of a program. It counts ten steps of each neuron, which L-BFGS remembers; fits that end after fewer take `16 (p + 1)` bytes less for
/// each. Neurons that take long may take more, if no limit is given: `8 p²` bytes each, and a sample of the rows.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Poisson, PopulationGlm};
/// let (design, counts) = (Matrix::<Cpu>::zeros([10_000, 100]), Matrix::zeros([10_000, 50]));
/// let model = PopulationGlm::new(Poisson);
/// let plan = model.plan(&design, &counts)?;
/// let half = model.memory_limit(0.5 * plan.bytes()).plan(&design, &counts)?;
/// assert!(plan.n_groups() == 1 && half.n_groups() > 1 && half.bytes() <= 0.5 * plan.bytes());
/// # Ok::<(), nemos_glm::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct FitPlan {
    pub(crate) groups: Vec<Group>,
    /// What the fit of each group may use.
    pub(crate) rooms: Vec<Room>,
    n_neurons: usize,
    /// Of the group that takes most, and of what all groups share.
    bytes: f64,
    whole: f64,
    /// Of the largest list of numbers that is made for each block of rows.
    block_bytes: usize,
}

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
// Bytes of the pages at both ends of what a neuron uses of its column.
const PAGES: f64 = 8192.0;
// Below this, in bytes, it does not matter what allocators keep.
const LARGE: f64 = 4e6;
// Blocks are not cut shorter: what is read for each, whatever its length, would be most of the work.
const SHORTEST: usize = 32;

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

impl FitPlan {
    /// Bytes that the fit will take at a time, beside what there is already.
    pub fn bytes(&self) -> f64 {
        self.bytes + self.whole
    }

    /// Gives back memory that is free, where there is a limit to keep to: what is given back has to be asked for again, which makes
    /// fits of many features twice as slow. Blocks are made again and again: these are kept.
    pub(crate) fn give_back(&self, options: &Options) {
        if options.memory_limit.is_some() && self.bytes > LARGE {
            give_back_memory(self.block_bytes + (64 << 10));
        }
    }

    /// Groups of neurons that are fitted one after the other.
    pub fn n_groups(&self) -> usize {
        self.groups.len()
    }

    /// Neurons of the largest group.
    pub fn neurons_at_a_time(&self) -> usize {
        self.groups.iter().map(|group| group.neurons.len()).max().unwrap_or(0)
    }

    /// Rows that are read together, in the group where these are fewest.
    pub fn block_rows(&self) -> usize {
        self.rooms.iter().map(|room| room.block_rows).min().unwrap_or(0)
    }
}

impl fmt::Display for FitPlan {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n_groups, largest) = (self.n_groups(), self.neurons_at_a_time());
        match n_groups {
            1 => write!(to, "{} neurons together", self.n_neurons)?,
            _ => write!(to, "{} neurons in {n_groups} groups of {largest} or fewer", self.n_neurons)?,
        }
        write!(to, ", {} rows at a time, {:.1} MB", self.block_rows(), self.bytes() / 1e6)
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
        // Features as they are read and as they are centred, counts, predictors.
        let blocks = threads * rows * number * (2.0 * features + of(self.n_counts) + neurons);
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
        let pass = parameters * (3.0 + shards + threads) + blocks + copied;
        survey.max(moments + axes + (making + parameters * 2.0).max(of_columns + pass))
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
    fn room(&self, block_rows: usize, limit: f64) -> Option<Room> {
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

impl<B: Backend> Task<'_, B> {
    fn sizes(&self, options: &Options, group: &Group, free: Option<&Array2<bool>>) -> Sizes {
        let n_features = self.design.n_columns();
        let (n_predictors, n_targets) = (self.model.n_predictors(), self.model.n_targets());
        Sizes {
            // The same for all processes that share the rows: each holds all of them for a proof.
            n_rows: self.design.share().map_or(self.design.n_rows(), Share::n_rows),
            n_features: group.features.as_ref().map_or(n_features, Vec::len),
            most_features: group.most_features(free, n_features),
            n_neurons: group.neurons.len(),
            n_predictors,
            n_counts: group.neurons.len() * n_targets,
            n_threads: if B::HOST { rayon::current_num_threads() } else { 1 },
            number: B::DTYPE.size(),
            has_mask: free.is_some(),
            has_ridge: options.regularizer.has_ridge(),
            is_smooth: options.regularizer.is_smooth(),
        }
    }

    /// How the work is cut, and the memory that it takes.
    pub(crate) fn plan(&self, options: &Options) -> Result<FitPlan, Error> {
        let (n_features, n_neurons) = (self.design.n_columns(), self.n_neurons());
        let free = self.free(options)?;
        let free = free.as_ref();
        let may_leave_out = !matches!(options.regularizer, nemos_solvers::Regularizer::GroupLasso { .. });
        let groups = match free.filter(|_| may_leave_out) {
            Some(free) => by_overlap(free, n_features),
            None => vec![together(n_neurons)],
        };
        // A group of all is fitted as it is.
        let is_one = match (groups.as_slice(), options.memory_limit) {
            ([only], None) => only.features.is_none(),
            ([only], Some(limit)) if only.features.is_none() => {
                let sizes = self.sizes(options, only, free);
                sizes.room(usual_rows::<B>(&sizes), limit).is_some()
            }
            _ => false,
        };
        // What several share: masks, and the result, of which a neuron that uses few features touches few pages.
        let whole = if is_one {
            0.0
        } else {
            let columns = (n_neurons * self.model.n_predictors()) as f64;
            let most = groups.iter().map(|group| group.most_features(free, n_features)).max().unwrap_or(0) as f64;
            let masks = if free.is_some() { 3.0 * columns * n_features as f64 } else { 0.0 };
            masks + columns * (8.0 * (most + 1.0) + PAGES).min(8.0 * (n_features + 1) as f64)
        };
        let limit = options.memory_limit.map(|limit| limit - whole);
        let mut least = 0.0_f64;
        let mut plan = FitPlan {
            groups: Vec::new(),
            rooms: Vec::new(),
            n_neurons,
            bytes: 0.0,
            whole,
            block_bytes: 0,
        };
        for group in groups {
            let Some(limit) = limit else {
                let sizes = self.sizes(options, &group, free);
                let block_rows = usual_rows::<B>(&sizes);
                plan.add(group, Room::unlimited(block_rows), &sizes);
                continue;
            };
            let mut parts = vec![group];
            // Twice as many parts, until the largest fits.
            while let Some(part) = parts.pop() {
                let sizes = self.sizes(options, &part, free);
                let block_rows = usual_rows::<B>(&sizes);
                if let Some(room) = sizes.room(block_rows, limit) {
                    plan.add(part, room, &sizes);
                } else if part.neurons.len() > 1 {
                    let mut halves = part.split(2, free, n_features);
                    halves.reverse();
                    parts.extend(halves);
                } else {
                    let halves = std::iter::successors(Some(block_rows), |rows| Some(rows / 2));
                    let halves = halves.take_while(|rows| *rows > SHORTEST).chain([SHORTEST.min(block_rows)]);
                    match halves.clone().find_map(|rows| sizes.room(rows, limit)) {
                        Some(room) => plan.add(part, room, &sizes),
                        // Shorter blocks are more, and of more shards more sums may wait.
                        None => least = least.max(halves.map(|rows| sizes.bytes(rows)).fold(f64::INFINITY, f64::min)),
                    }
                }
            }
        }
        match options.memory_limit {
            Some(limit) if least > 0.0 => Err(Error::MemoryLimit {
                limit,
                least: least + whole,
            }),
            _ => Ok(plan),
        }
    }
}

impl FitPlan {
    fn add(&mut self, group: Group, room: Room, sizes: &Sizes) {
        self.groups.push(group);
        self.rooms.push(room);
        self.bytes = self.bytes.max(sizes.bytes(room.block_rows));
        let widest = sizes.n_features.max(sizes.n_counts).max(sizes.n_neurons * sizes.n_predictors);
        self.block_bytes = self.block_bytes.max(room.block_rows * widest * sizes.number);
    }
}

/// Rows that are read together where nothing limits them.
fn usual_rows<B: Backend>(sizes: &Sizes) -> usize {
    let columns = sizes.n_neurons * sizes.n_predictors;
    B::chunk_rows(sizes.n_features + sizes.n_counts.max(columns))
}
