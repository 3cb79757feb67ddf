//! Paths: points as pieces of a line that can be drawn, without gaps, without what is far away, without what no eye could see.

/// A rectangle: left, top, right, bottom.
pub(crate) type Window = [f64; 4];

/// The pieces of a line through these points: apart where a point is not finite, and cut off at the window.
pub(crate) fn pieces(points: impl IntoIterator<Item = [f64; 2]>, window: Window) -> Vec<Vec<[f64; 2]>> {
    let points: Vec<[f64; 2]> = points.into_iter().collect();
    let mut pieces: Vec<Vec<[f64; 2]>> = Vec::new();
    for run in points
        .chunk_by(|a, b| is_finite(a) && is_finite(b))
        .filter(|run| is_finite(&run[0]))
    {
        if let [alone] = run {
            pieces.extend(cut(*alone, *alone, window).map(|_| vec![*alone]));
            continue;
        }
        let mut piece: Vec<[f64; 2]> = Vec::new();
        for ends in run.windows(2) {
            let Some([from, to]) = cut(ends[0], ends[1], window) else {
                continue;
            };
            if piece.last() != Some(&from) {
                pieces.extend((!piece.is_empty()).then(|| std::mem::take(&mut piece)));
                piece.push(from);
            }
            piece.push(to);
        }
        pieces.extend((!piece.is_empty()).then_some(piece));
    }
    pieces.iter().map(|piece| thinned(piece)).collect()
}

/// The part of a segment inside a window (Liang & Barsky 1984, *ACM Transactions on Graphics* 3, 1).
fn cut(from: [f64; 2], to: [f64; 2], [left, top, right, bottom]: Window) -> Option<[[f64; 2]; 2]> {
    let along = [to[0] - from[0], to[1] - from[1]];
    let (mut enter, mut leave): (f64, f64) = (0.0, 1.0);
    let sides = [
        (-along[0], from[0] - left),
        (along[0], right - from[0]),
        (-along[1], from[1] - top),
        (along[1], bottom - from[1]),
    ];
    for (outwards, room) in sides {
        if outwards == 0.0 && room < 0.0 {
            return None;
        } else if outwards < 0.0 {
            enter = enter.max(room / outwards);
        } else if outwards > 0.0 {
            leave = leave.min(room / outwards);
        }
    }
    let at = |share: f64| [from[0] + share * along[0], from[1] + share * along[1]];
    let start = if enter == 0.0 { from } else { at(enter) };
    let end = if leave == 1.0 { to } else { at(leave) };
    (enter <= leave).then_some([start, end])
}

/// Where many points in a row share half a pixel across, the first, the lowest, the highest and the last of them.
fn thinned(piece: &[[f64; 2]]) -> Vec<[f64; 2]> {
    let column = |point: &[f64; 2]| (2.0 * point[0]).floor();
    let mut kept = Vec::new();
    for group in piece.chunk_by(|a, b| column(a) == column(b)) {
        if group.len() <= 4 {
            kept.extend_from_slice(group);
            continue;
        }
        let inner = &group[1..group.len() - 1];
        let extreme =
            |order: fn(f64, f64) -> bool| (1..inner.len()).fold(0, |best, at| if order(inner[at][1], inner[best][1]) { at } else { best });
        let (low, high) = (extreme(|a, b| a < b), extreme(|a, b| a > b));
        kept.extend([group[0], inner[low.min(high)], inner[low.max(high)], group[group.len() - 1]]);
    }
    kept
}

/// The part of a filled shape inside a window (Sutherland & Hodgman 1974, *Communications of the ACM* 17, 32).
pub(crate) fn cut_shape(mut corners: Vec<[f64; 2]>, [left, top, right, bottom]: Window) -> Vec<[f64; 2]> {
    for (axis, limit, sign) in [(0, left, 1.0), (0, right, -1.0), (1, top, 1.0), (1, bottom, -1.0)] {
        let inside = |corner: [f64; 2]| sign * (corner[axis] - limit);
        let mut kept = Vec::with_capacity(corners.len());
        for (index, &corner) in corners.iter().enumerate() {
            let before = corners[(index + corners.len() - 1) % corners.len()];
            let (was, is) = (inside(before), inside(corner));
            if (was < 0.0) != (is < 0.0) {
                let share = was / (was - is);
                kept.push([0, 1].map(|axis| before[axis] + share * (corner[axis] - before[axis])));
            }
            if is >= 0.0 {
                kept.push(corner);
            }
        }
        corners = kept;
    }
    corners
}

fn is_finite(point: &[f64; 2]) -> bool {
    point.iter().all(|value| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WINDOW: Window = [0.0, 0.0, 10.0, 10.0];

    #[test]
    fn gaps_and_edges_part_a_line() {
        let gap = [[1.0, 1.0], [2.0, 2.0], [f64::NAN, 3.0], [4.0, 4.0]];
        assert_eq!(pieces(gap, WINDOW), [vec![[1.0, 1.0], [2.0, 2.0]], vec![[4.0, 4.0]]]);
        let out_and_back = [[5.0, 5.0], [5.0, 1e9], [6.0, 1e9], [6.0, 5.0]];
        let cut = pieces(out_and_back, WINDOW);
        assert_eq!(cut, [vec![[5.0, 5.0], [5.0, 10.0]], vec![[6.0, 10.0], [6.0, 5.0]]]);
        assert!(pieces([[20.0, 20.0]], WINDOW).is_empty());
    }

    #[test]
    fn a_shape_is_cut_at_the_window() {
        let shape = cut_shape(vec![[-5.0, 2.0], [5.0, 2.0], [5.0, 1e6], [-5.0, 1e6]], WINDOW);
        assert_eq!(shape.len(), 4);
        assert!(shape.iter().flatten().all(|&at| (0.0..=10.0).contains(&at)));
        assert!(cut_shape(vec![[20.0, 20.0], [30.0, 20.0], [30.0, 30.0]], WINDOW).is_empty());
    }

    #[test]
    fn many_points_keep_their_peaks() {
        let noise: Vec<[f64; 2]> = (0..100_000)
            .map(|i| [1e-4 * f64::from(i), if i == 54_321 { 9.0 } else { f64::from(i % 3) }])
            .collect();
        let kept = pieces(noise, WINDOW).concat();
        assert!(kept.len() < 100, "{}", kept.len());
        assert!(kept.contains(&[5.4321, 9.0]));
    }
}
