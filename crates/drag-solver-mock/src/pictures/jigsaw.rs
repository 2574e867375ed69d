//! The outline of a piece, and of the gap that it fits.

use drag_solver_core::Seeded;

use self::Side::{Flat, Knob, Socket};
use super::canvas::{disc, rounded};

/// What one side of a jigsaw piece looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Side {
    Flat,
    Knob,
    Socket,
}

/// A jigsaw piece around the origin: a square body of side `size` with knobs and sockets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jigsaw {
    pub(super) size: f64,
    /// Top, right, bottom, left.
    sides: [Side; 4],
}

impl Jigsaw {
    /// Two knobs, so that every piece is clearly a jigsaw piece; the rest by chance.
    pub(super) fn new(seeded: &mut Seeded, size: f64) -> Self {
        let mut other = || if seeded.below(2) == 1 { Socket } else { Flat };
        let (a, b) = (other(), other());
        let (one, next) = ([Knob, Knob, a, b], [a, Knob, Knob, b]);
        let sides = *seeded.pick(&[one, next, [Knob, a, Knob, b], [Knob, Knob, b, a]]);
        Self { size, sides }
    }

    /// The farthest that any part of it is from its centre, along an axis.
    pub(super) fn reach(&self) -> f64 {
        self.size * 0.75
    }

    /// Signed distance from its edge.
    pub(super) fn distance(&self, x: f64, y: f64) -> f64 {
        let size = self.size;
        let (radius, offset) = (size * 0.155, size * 0.56);
        let body = rounded(x, y, (size, size), size * 0.08);
        let directions = [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)];
        let sides = self.sides.iter().zip(directions);
        sides.fold(body, |distance, (side, (dx, dy))| {
            let knob = |at: f64| disc(x - dx * at, y - dy * at, radius);
            match side {
                Flat => distance,
                Knob => distance.min(knob(offset)),
                // As far inside the edge as a knob is outside it.
                Socket => distance.max(-knob(size - offset)),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_has_what_its_sides_say_and_stays_within_reach() {
        let piece = Jigsaw {
            size: 100.0,
            sides: [Knob, Flat, Socket, Flat],
        };
        assert!(piece.distance(0.0, -60.0) < 0.0, "the knob on top");
        assert!(piece.distance(60.0, 0.0) > 0.0, "no knob on the right");
        assert!(piece.distance(0.0, 45.0) > 0.0, "the socket below");
        assert!(piece.distance(0.0, 0.0) < 0.0);
        for step in -100..=100 {
            let along = f64::from(step);
            for (x, y) in [(piece.reach(), along), (along, -piece.reach())] {
                assert!(piece.distance(x, y) > 0.0);
            }
        }
    }

    #[test]
    fn every_piece_has_two_knobs() {
        for seed in 0..100 {
            let sides = Jigsaw::new(&mut Seeded::new(seed), 48.0).sides;
            let knobs = sides.iter().filter(|&&side| side == Knob).count();
            assert_eq!(knobs, 2, "seed {seed}: {sides:?}");
        }
    }
}
