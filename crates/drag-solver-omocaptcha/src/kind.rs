//! What each kind of job is asked and answers, as far as the documentation says.
//!
//! Sources, read in November 2026: `github.com/thaodajk/API-OMOcaptcha.com` for v1's numbers,
//! `github.com/adminomocaptcha/OMOCaptcha-Documents`, folder `tai-lieu-api`, for v2's names.

use std::num::NonZeroU32;

use drag_solver_core::{DragChallenge, ErrorKind, Point, SolveError};
use drag_solver_http::{Answer, Found, Unit};

/// What a kind of job is asked and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The picture, for both points in its pixels. So are kinds that are not known here.
    Points,
    /// A slider on a web page: the picture and the width that it is shown with, for where its piece or
    /// handle goes, in pixels of that view.
    Slider,
    /// A screenshot of hCaptcha, for a list of drags, or of something else.
    Hcaptcha,
    /// Two pictures in one request, where there is only one screenshot.
    TwoPictures,
}

/// What a slider's answer does not say.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Slider {
    /// How wide the picture is shown, in pixels.
    pub(crate) view_width: NonZeroU32,
    /// Where the drag begins, in pixels of the screenshot that is sent.
    pub(crate) start: Point,
}

impl Slider {
    /// Refuses a screenshot that the start is not on, before its answer, which could not be right, is
    /// bought.
    pub(crate) fn check(&self, challenge: &DragChallenge) -> Result<(), SolveError> {
        let shot = challenge.screenshot();
        let (width, height) = (shot.width(), shot.height());
        if self.start.is_on(width, height) {
            return Ok(());
        }
        let message = format!(
            "the setting `start`, {}, is not on the {width}x{height} px screenshot; nothing was sent",
            self.start
        );
        Err(SolveError::new(ErrorKind::Unsupported, message))
    }

    /// Where the drag ends that goes this far, in pixels of the view.
    pub(crate) fn distance(&self, distance: f64) -> Found {
        Found::Distance {
            start: self.start,
            distance,
        }
    }

    /// Where the drag ends, in pixels of the view from the left edge: a slider's track is level.
    pub(crate) fn end(&self, x: f64) -> Found {
        Found::End {
            start: self.start,
            x,
            y: None,
        }
    }

    pub(crate) fn answer(&self, found: Result<Found, String>) -> Answer {
        Answer::of(found).with_unit(Unit::ViewWidth(self.view_width.get().into()))
    }
}
