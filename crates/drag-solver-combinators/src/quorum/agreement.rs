//! Which answers say the same.

use drag_solver_core::{Drag, Point};

/// The largest group of `drags` of which every two agree within `tolerance` pixels: their indices.
/// Of several, the first in the order of the list.
///
/// *Every two*, because nearness does not carry over: with a tolerance of 10, 0 agrees with 8 and 8
/// with 16, but 0 does not with 16.
pub(super) fn largest(drags: &[Drag], tolerance: f64) -> Vec<usize> {
    let mut best = Vec::new();
    grow(drags, tolerance, &mut Vec::new(), 0, &mut best);
    best
}

/// Tries every group that begins with `group`. A quorum has at most a few solvers, so all can be
/// tried.
fn grow(
    drags: &[Drag],
    tolerance: f64,
    group: &mut Vec<usize>,
    from: usize,
    best: &mut Vec<usize>,
) {
    if group.len() > best.len() {
        best.clone_from(group);
    }
    if group.len() + (drags.len() - from) <= best.len() {
        return; // cannot become a larger one
    }
    for next in from..drags.len() {
        let agrees = |&member: &usize| agree(&drags[member], &drags[next], tolerance);
        if group.iter().all(agrees) {
            group.push(next);
            grow(drags, tolerance, group, next + 1, best);
            group.pop();
        }
    }
}

fn agree(one: &Drag, other: &Drag, tolerance: f64) -> bool {
    one.start.distance(other.start) <= tolerance && one.end.distance(other.end) <= tolerance
}

/// The drag in the middle of `drags`. Alternative ends are left out: they are not what was agreed on.
pub(super) fn centre(drags: &[Drag]) -> Drag {
    let middle = |point: fn(&Drag) -> Point| {
        #[allow(clippy::cast_precision_loss)] // a few
        let count = drags.len() as f64;
        let sum = |coordinate: fn(Point) -> f64| {
            drags
                .iter()
                .map(|drag| coordinate(point(drag)))
                .sum::<f64>()
                / count
        };
        Point::new(sum(|p| p.x), sum(|p| p.y))
    };
    Drag::new(middle(|drag| drag.start), middle(|drag| drag.end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(x: f64) -> Drag {
        Drag::new(Point::new(80.0, 560.0), Point::new(x, 560.0))
    }

    #[test]
    fn agreement_does_not_carry_over() {
        let chain = [to(300.0), to(308.0), to(316.0)];
        assert_eq!(largest(&chain, 10.0), [0, 1]);
        assert_eq!(largest(&chain, 16.0), [0, 1, 2]);
    }

    #[test]
    fn a_later_group_may_be_the_larger_one() {
        let drags = [to(100.0), to(200.0), to(104.0), to(203.0), to(198.0)];
        assert_eq!(largest(&drags, 10.0), [1, 3, 4]);
        assert_eq!(largest(&drags, 3.0), [1, 3]);
        assert_eq!(largest(&[], 10.0), [0_usize; 0]);
    }

    #[test]
    fn start_and_end_must_both_agree_and_the_tolerance_is_included() {
        let mut other = to(300.0);
        other.start.x += 10.0;
        assert_eq!(largest(&[to(300.0), other], 10.0).len(), 2);
        other.start.x += 0.001;
        assert_eq!(largest(&[to(300.0), other], 10.0).len(), 1);
        // Distance, not each coordinate for itself.
        let mut diagonal = to(308.0);
        diagonal.end.y += 8.0;
        assert_eq!(largest(&[to(300.0), diagonal], 10.0).len(), 1);
    }

    #[test]
    fn the_centre_is_in_the_middle_and_has_no_alternative() {
        let with_alternative = to(310.0).with_alternative_end(Point::new(1.0, 1.0));
        assert_eq!(centre(&[to(300.0), with_alternative]), to(305.0));
    }
}
