//! Which of several are not beaten by any other.

/// Of each point of a cost and a share, whether no other has at least that share for at most that cost, and more of
/// one of them. A point whose cost is not known (`None`) is none of them, and beats no other.
///
/// ```
/// use drag_solver_evaluate::figures::pareto_front;
///
/// let front = pareto_front(&[(Some(1.0), 0.9), (Some(2.0), 0.95), (Some(2.0), 0.94), (None, 1.0)]);
/// assert_eq!(front, [true, true, false, false]);
/// ```
#[must_use]
pub fn pareto_front(points: &[(Option<f64>, f64)]) -> Vec<bool> {
    let beats = |(cost, share): (f64, f64), (their_cost, their_share): (f64, f64)| {
        cost <= their_cost && share >= their_share && (cost < their_cost || share > their_share)
    };
    let known = |&(cost, share): &(Option<f64>, f64)| cost.map(|cost| (cost, share));
    points
        .iter()
        .map(|point| {
            let own = known(point);
            own.is_some_and(|own| {
                !points
                    .iter()
                    .filter_map(known)
                    .any(|other| beats(other, own))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_stand_side_by_side_and_worse_in_both_is_beaten() {
        let points = [
            (Some(1.0), 0.9),
            (Some(1.0), 0.9),
            (Some(1.5), 0.8),
            (Some(0.5), 0.2),
        ];
        assert_eq!(pareto_front(&points), [true, true, false, true]);
        assert_eq!(
            pareto_front(&[(Some(1.0), 0.9), (Some(1.0), 0.8)]),
            [true, false]
        );
        assert_eq!(
            pareto_front(&[(Some(2.0), 0.9), (Some(1.0), 0.9)]),
            [false, true]
        );
        assert!(pareto_front(&[]).is_empty());
    }
}
