//! Groups of rows that lie close together: k-means with starts far apart.
//!
//! # References
//! Lloyd (1982), *IEEE Transactions on Information Theory* 28(2); Arthur & Vassilvitskii (2007), k-means++.

use nemos_core::Backend;
use rand::Rng;

use crate::Error;
use crate::chain::paths::draw_state;
use crate::fit::data::Data;

const ROUNDS: usize = 50;

/// The group of every row, of this process, of standardised features and counts; nothing for rows in which something is missing.
pub(crate) fn k_means<B: Backend, R: Rng + ?Sized>(data: &Data<'_, B>, n_groups: usize, rng: &mut R) -> Result<Vec<Option<usize>>, Error> {
    let (features, counts) = (data.design.to_matrix()?.to_array(), data.counts.to_matrix()?.to_array());
    let rows = features.rows().into_iter().zip(counts.rows());
    let here: Vec<f64> = rows.flat_map(|(x, y)| x.iter().chain(y).copied().collect::<Vec<_>>()).collect();
    // Every process groups all rows, which come out the same.
    let of_processes = data.design.gathered(here)?;
    let n_columns = features.ncols() + counts.ncols();
    let points: Vec<Vec<f64>> = of_processes
        .iter()
        .flat_map(|of_process| of_process.chunks_exact(n_columns).map(<[f64]>::to_vec))
        .collect();
    let all = points.len();
    let complete: Vec<usize> = (0..points.len()).filter(|&row| points[row].iter().all(|x| x.is_finite())).collect();
    let n = complete.len().max(1) as f64;
    let mean = |of: &dyn Fn(f64) -> f64, column: usize| complete.iter().map(|&row| of(points[row][column])).sum::<f64>() / n;
    let units: Vec<(f64, f64)> = (0..n_columns)
        .map(|column| {
            let center = mean(&|x| x, column);
            let sd = mean(&|x| (x - center).powi(2), column).sqrt();
            (center, if sd > 0.0 { 1.0 / sd } else { 0.0 })
        })
        .collect();
    let points: Vec<Vec<f64>> = complete
        .iter()
        .map(|&row| points[row].iter().zip(&units).map(|(x, (mean, unit))| (x - mean) * unit).collect())
        .collect();
    let mut groups = vec![None; all];
    for (&row, group) in complete.iter().zip(grouped(&points, n_groups, rng)) {
        groups[row] = Some(group);
    }
    let first = data.design.share().map_or(0, |share| share.rows().start);
    Ok(groups[first..first + features.nrows()].to_vec())
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

fn grouped<R: Rng + ?Sized>(points: &[Vec<f64>], n_groups: usize, rng: &mut R) -> Vec<usize> {
    if points.is_empty() {
        return Vec::new();
    }
    let mut centers = vec![points[draw_state(&vec![1.0; points.len()], rng)].clone()];
    while centers.len() < n_groups {
        let nearest = |point: &Vec<f64>| centers.iter().map(|center| distance(point, center)).fold(f64::INFINITY, f64::min);
        let far: Vec<f64> = points.iter().map(nearest).collect();
        centers.push(points[draw_state(&far, rng)].clone());
    }
    let mut groups = vec![usize::MAX; points.len()];
    for _ in 0..ROUNDS {
        let mut moved = false;
        for (group, point) in groups.iter_mut().zip(points) {
            let to = |&a: &usize, &b: &usize| distance(point, &centers[a]).total_cmp(&distance(point, &centers[b]));
            let nearest = (0..n_groups).min_by(to).unwrap_or(0);
            moved |= *group != nearest;
            *group = nearest;
        }
        if !moved {
            break;
        }
        for (group, center) in centers.iter_mut().enumerate() {
            let members: Vec<&Vec<f64>> = groups
                .iter()
                .zip(points)
                .filter(|(of, _)| **of == group)
                .map(|(_, point)| point)
                .collect();
            // A center that lost its points stays.
            for (column, value) in center.iter_mut().enumerate().filter(|_| !members.is_empty()) {
                *value = members.iter().map(|point| point[column]).sum::<f64>() / members.len() as f64;
            }
        }
    }
    groups
}
