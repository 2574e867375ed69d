//! Shapes as signed distances: negative inside, positive outside, in pixels.
//!
//! Only `+ - * /`, `sqrt` and comparisons, whose results IEEE 754 fixes to the last bit: a picture is
//! the same on every machine.

/// How much of a pixel a shape covers (0 to 1), by the distance of the pixel's centre from its edge.
pub(super) fn coverage(distance: f64) -> f64 {
    (0.5 - distance).clamp(0.0, 1.0)
}

/// A line of this thickness along the edge of a shape.
pub(super) fn outline(distance: f64, thickness: f64) -> f64 {
    distance.abs() - thickness / 2.0
}

/// A disc around the origin.
pub(super) fn disc(x: f64, y: f64, radius: f64) -> f64 {
    (x * x + y * y).sqrt() - radius
}

/// A rectangle around the origin with rounded corners.
pub(super) fn rounded(x: f64, y: f64, width: f64, height: f64, radius: f64) -> f64 {
    let radius = radius.min(width / 2.0).min(height / 2.0);
    let (dx, dy) = (
        x.abs() - width / 2.0 + radius,
        y.abs() - height / 2.0 + radius,
    );
    let (ox, oy) = (dx.max(0.0), dy.max(0.0));
    (ox * ox + oy * oy).sqrt() + dx.max(dy).min(0.0) - radius
}

/// A stroke of no thickness from `a` to `b`.
pub(super) fn segment(x: f64, y: f64, a: (f64, f64), b: (f64, f64)) -> f64 {
    let (px, py) = (x - a.0, y - a.1);
    let (dx, dy) = (b.0 - a.0, b.1 - a.1);
    let length = dx * dx + dy * dy;
    let along = if length > 0.0 {
        ((px * dx + py * dy) / length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let (ex, ey) = (px - dx * along, py - dy * along);
    (ex * ex + ey * ey).sqrt()
}

/// What one side of a jigsaw piece looks like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Side {
    Flat,
    Knob,
    Socket,
}

/// A jigsaw piece around the origin: a square body of side `size` with knobs and sockets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Jigsaw {
    pub(super) size: f64,
    /// Top, right, bottom, left.
    pub(super) sides: [Side; 4],
}

impl Jigsaw {
    /// The farthest that any part of it is from its centre, along an axis.
    pub(super) fn reach(&self) -> f64 {
        self.size * 0.75
    }

    pub(super) fn distance(&self, x: f64, y: f64) -> f64 {
        let size = self.size;
        let (radius, offset) = (size * 0.155, size * 0.56);
        let mut distance = rounded(x, y, size, size, size * 0.08);
        let centres = [(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)];
        for (side, (cx, cy)) in self.sides.into_iter().zip(centres) {
            // A socket sits as far inside the edge as a knob sits outside it.
            let at = match side {
                Side::Flat => continue,
                Side::Knob => offset,
                Side::Socket => size - offset,
            };
            let knob = disc(x - cx * at, y - cy * at, radius);
            distance = match side {
                Side::Socket => distance.max(-knob),
                _ => distance.min(knob),
            };
        }
        distance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_negative_inside_and_positive_outside() {
        assert!(rounded(0.0, 0.0, 10.0, 10.0, 2.0) < 0.0);
        assert!(rounded(4.9, 4.9, 10.0, 10.0, 2.0) > 0.0, "a rounded corner");
        assert!(disc(3.0, 0.0, 2.0) > 0.0);
        assert!((segment(5.0, 3.0, (0.0, 0.0), (10.0, 0.0)) - 3.0).abs() < 1e-12);
        assert!((segment(5.0, 0.0, (1.0, 0.0), (1.0, 0.0)) - 4.0).abs() < 1e-12);
    }

    #[test]
    fn a_piece_has_what_its_sides_say_and_stays_within_reach() {
        let piece = Jigsaw {
            size: 100.0,
            sides: [Side::Knob, Side::Flat, Side::Socket, Side::Flat],
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
}
