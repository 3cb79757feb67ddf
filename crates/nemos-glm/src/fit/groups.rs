//! Neurons that are fitted together: they share passes over the data, and read no features but those that one of them uses.

use ndarray::Array2;

/// Neurons that are fitted together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Group {
    /// In rising order.
    pub(crate) neurons: Vec<usize>,
    /// Features that are read for them, in rising order; all of them where there is nothing.
    pub(crate) features: Option<Vec<usize>>,
}

// What it costs to make a feature, beside what each neuron does with it in all passes together.
const MAKING: f64 = 50.0;
// Passes that second moments are taken in, as a share of those of a fit, by how many products of features.
const MOMENTS: f64 = 1.0 / 30.0;
// Apart, neurons take this share of the work at most; else they stay together.
const WORTH_IT: f64 = 0.5;
// Fewer coefficients than this are fitted in no time.
const FEW: usize = 1 << 14;

/// Which features each of some neurons uses, 64 to a word.
struct Sets {
    words: usize,
    bits: Vec<u64>,
}

impl Sets {
    /// Of these columns of `[n_predictors · n_features, n_neurons]`.
    fn new(free: &Array2<bool>, n_features: usize, neurons: &[usize]) -> Self {
        let words = n_features.div_ceil(64);
        let mut bits = vec![0; words * neurons.len()];
        for (row, free) in free.rows().into_iter().enumerate() {
            let feature = row % n_features;
            for (place, _) in neurons.iter().enumerate().filter(|(_, neuron)| free[**neuron]) {
                bits[place * words + feature / 64] |= 1 << (feature % 64);
            }
        }
        Sets { words, bits }
    }

    /// Of the neuron in this place.
    fn of(&self, place: usize) -> &[u64] {
        &self.bits[place * self.words..(place + 1) * self.words]
    }

    fn union(&self) -> Vec<u64> {
        let mut union = vec![0; self.words];
        for own in self.bits.chunks_exact(self.words.max(1)) {
            union.iter_mut().zip(own).for_each(|(all, own)| *all |= own);
        }
        union
    }
}

fn count(set: &[u64]) -> usize {
    set.iter().map(|word| word.count_ones() as usize).sum()
}

fn features(set: &[u64]) -> Vec<usize> {
    (0..set.len() * 64)
        .filter(|feature| set[feature / 64] >> (feature % 64) & 1 == 1)
        .collect()
}

/// Work for each row, about: products with each neuron, making of the features, their second moments.
fn work(n_features: usize, n_neurons: usize) -> f64 {
    let n = n_features as f64;
    n * (n_neurons as f64 + MAKING + n * MOMENTS)
}

/// All neurons and all features.
pub(crate) fn together(n_neurons: usize) -> Group {
    Group {
        neurons: (0..n_neurons).collect(),
        features: None,
    }
}

/// Neurons whose features overlap, where that saves much of the work; `free` is `[n_predictors · n_features, n_neurons]`.
///
/// A group begins with a neuron that is in none, and takes in the one that adds least to its work, as long as that is less than each
/// of its neurons costs.
pub(crate) fn by_overlap(free: &Array2<bool>, n_features: usize) -> Vec<Group> {
    let n_neurons = free.ncols();
    if n_features * n_neurons < FEW {
        return vec![together(n_neurons)];
    }
    let mut left: Vec<usize> = (0..n_neurons).collect();
    let sets = Sets::new(free, n_features, &left);
    let own: Vec<usize> = left.iter().map(|&neuron| count(sets.of(neuron))).collect();
    let (mut groups, mut total) = (Vec::new(), 0.0);
    while !left.is_empty() {
        let (mut neurons, mut union, mut size, mut cost) = (Vec::new(), vec![0; sets.words], 0, 0.0);
        // How many features each neuron that is left would add.
        let mut adds: Vec<usize> = left.iter().map(|&neuron| own[neuron]).collect();
        loop {
            let least = match neurons.as_slice() {
                [] => Some(0),
                _ => (0..left.len()).min_by_key(|&place| adds[place]),
            };
            let Some(place) = least else { break };
            let with = work(size + adds[place], neurons.len() + 1);
            // From here on each neuron would cost more than those before it.
            if !neurons.is_empty() && with - cost >= cost / neurons.len() as f64 {
                break;
            }
            let neuron = left.remove(place);
            size += adds.remove(place);
            neurons.push(neuron);
            cost = with;
            // The others add no more what this one did: few words change.
            for (word, (union, set)) in union.iter_mut().zip(sets.of(neuron)).enumerate() {
                let new = set & !*union;
                if new != 0 {
                    *union |= new;
                    let others = adds.iter_mut().zip(&left);
                    others.for_each(|(adds, &other)| *adds -= (sets.of(other)[word] & new).count_ones() as usize);
                }
            }
        }
        total += cost;
        neurons.sort_unstable();
        groups.push(Group {
            neurons,
            features: Some(features(&union)),
        });
    }
    if total > WORTH_IT * work(n_features, n_neurons) {
        return vec![together(n_neurons)];
    }
    groups
}

impl Group {
    /// Halves of a group of several neurons; of its features each keeps those that its neurons use.
    pub(crate) fn split(&self, n_parts: usize, free: Option<&Array2<bool>>, n_features: usize) -> Vec<Group> {
        let free = free.filter(|_| self.features.is_some());
        let part = |neurons: &[usize]| Group {
            features: free.map(|free| features(&Sets::new(free, n_features, neurons).union())),
            neurons: neurons.to_vec(),
        };
        let size = self.neurons.len().div_ceil(n_parts.max(1)).max(1);
        self.neurons.chunks(size).map(part).collect()
    }

    /// The features that each neuron uses at most.
    pub(crate) fn most_features(&self, free: Option<&Array2<bool>>, n_features: usize) -> usize {
        let Some(free) = free else { return n_features };
        let sets = Sets::new(free, n_features, &self.neurons);
        (0..self.neurons.len()).map(|place| count(sets.of(place))).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each neuron hears those around it, three features each; `place` is where a neuron stands.
    fn neighbours(n: usize, around: usize, place: impl Fn(usize) -> usize) -> Array2<bool> {
        Array2::from_shape_fn((3 * n, n), |(feature, neuron)| place(feature / 3).abs_diff(place(neuron)) <= around)
    }

    #[test]
    fn neurons_that_share_neighbours_are_together_wherever_their_columns_stand() {
        for place in [|neuron: usize| neuron, |neuron: usize| neuron * 77 % 400] {
            let free = neighbours(400, 10, place);
            let groups = by_overlap(&free, 1200);
            let mut seen: Vec<usize> = groups.iter().flat_map(|group| group.neurons.clone()).collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..400).collect::<Vec<_>>());
            for group in &groups {
                let used = (0..1200).filter(|&feature| group.neurons.iter().any(|&neuron| free[(feature, neuron)]));
                assert_eq!(group.features, Some(used.collect()));
            }
            let total: usize = groups.iter().map(|group| group.features.as_ref().unwrap().len()).sum();
            // Alone, each reads 63.
            assert!(groups.len() > 4 && total < 3 * 1200, "{} groups read {total}", groups.len());
        }
    }

    #[test]
    fn neurons_that_share_little_or_all_stay_together() {
        let all = Array2::from_elem((1200, 400), true);
        assert_eq!(by_overlap(&all, 1200), [together(400)]);
        let random = Array2::from_shape_fn((600, 200), |(i, j)| (i * 7919 + j * 104729) % 13 < 6);
        assert_eq!(by_overlap(&random, 600), [together(200)]);
        assert_eq!(by_overlap(&neighbours(20, 1, |neuron| neuron), 60), [together(20)]);
    }

    #[test]
    fn parts_of_a_group_read_what_they_use() {
        let free = neighbours(400, 10, |neuron| neuron);
        let group = &by_overlap(&free, 1200)[0];
        let parts = group.split(2, Some(&free), 1200);
        assert_eq!(parts.len(), 2);
        assert!(parts[0].features.as_ref().unwrap().len() < group.features.as_ref().unwrap().len());
        assert_eq!(
            group.most_features(Some(&free), 1200),
            if group.neurons.iter().any(|n| (10..390).contains(n)) {
                63
            } else {
                60
            }
        );
        let whole = together(5).split(3, None, 7);
        assert_eq!(whole.iter().map(|part| part.neurons.len()).collect::<Vec<_>>(), [2, 2, 1]);
        assert!(whole.iter().all(|part| part.features.is_none()));
    }
}
