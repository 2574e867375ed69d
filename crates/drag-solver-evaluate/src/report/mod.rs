//! All of it, as JSON and as a page.

mod html;
mod page;
mod plots;
mod text;

use std::time::Duration;

use drag_solver_core::{Drag, Screenshot};
use serde::{Serialize, Serializer};

use crate::call::Call;
use crate::figures::{Agreement, SolverFigures, agreement, figures};
use crate::labelled::LabelledPicture;
use crate::propose::{Evidence, Goal, Proposal, propose};
use crate::run::Evaluation;

/// The version of the JSON. Raised when a member is removed or changes its meaning; not when one is added.
const VERSION: u32 = 1;

/// Largest picture that the page shows, in bytes.
const MAX_PICTURE: usize = 1024 * 1024;

/// What an evaluation found out. It serialises as the JSON that `docs/evaluate.md` in the repository explains.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    v: u32,
    /// How far off a right answer may be, in pixels.
    pub tolerance_px: f64,
    /// Time that each call had. In JSON in milliseconds, `limit_ms`.
    #[serde(rename = "limit_ms", serialize_with = "millis")]
    pub limit: Duration,
    /// The confidence of every interval.
    confidence: f64,
    /// Why it stopped before the end, in words, if it did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// The figures of each solver, in the order in which they were added.
    pub solvers: Vec<SolverFigures>,
    /// How often every two of them agree.
    pub agreement: Vec<Agreement>,
    /// The chain that is proposed, if one was asked for and there are prices.
    pub proposal: Option<Proposal>,
    /// The pictures.
    pub pictures: Vec<ReportPicture>,
    /// Every call, by picture and then by solver.
    pub calls: Vec<Call>,
    /// The picture that the page draws on.
    #[serde(skip)]
    example: Option<(usize, Screenshot)>,
}

/// A picture, and its true drag.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ReportPicture {
    /// What it is called.
    pub screenshot: String,
    /// Its true drag.
    pub drag: Drag,
}

impl Report {
    /// What `calls` of this evaluation, about these pictures, say. Reads one picture, to draw on.
    #[must_use]
    pub fn new(
        evaluation: &Evaluation,
        pictures: &[LabelledPicture],
        mut calls: Vec<Call>,
    ) -> Self {
        calls.sort_by_key(|call| (call.picture, call.solver));
        let (names, tolerance) = (evaluation.names(), evaluation.tolerance_px());
        let mut asked = calls.iter().filter(|call| call.is_measured());
        let example = asked.find_map(|call| {
            let screenshot = pictures.get(call.picture)?.screenshot().ok()?;
            (screenshot.bytes().len() <= MAX_PICTURE).then_some((call.picture, screenshot))
        });
        Self {
            v: VERSION,
            tolerance_px: tolerance,
            limit: evaluation.time_limit(),
            confidence: 0.95,
            stopped: None,
            solvers: figures(&names, &calls, tolerance),
            agreement: agreement(names.len(), &calls, tolerance),
            proposal: None,
            pictures: pictures
                .iter()
                .map(|picture| ReportPicture {
                    screenshot: picture.name().to_owned(),
                    drag: *picture.drag(),
                })
                .collect(),
            calls,
            example,
        }
    }

    /// The same with the chain of these solvers, counted from 0, that does what `goal` says. See
    /// [`propose`](crate::propose::propose).
    #[must_use]
    pub fn with_proposal(mut self, members: &[usize], goal: Goal) -> Self {
        let names = self.names();
        let evidence = Evidence {
            names: &names,
            calls: &self.calls,
            pictures: self.pictures.len(),
            tolerance: self.tolerance_px,
            limit: self.limit,
        };
        self.proposal = propose(evidence, members, goal);
        self
    }

    /// The same, which says why the evaluation stopped before the end.
    #[must_use]
    pub fn with_stopped(mut self, why: impl Into<String>) -> Self {
        self.stopped = Some(why.into());
        self
    }

    /// The names of the solvers.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.solvers.iter().map(|one| one.name.clone()).collect()
    }

    /// A page of HTML with tables and plots, in one file. It loads nothing, runs no script, and needs no network; names of
    /// files and solvers are text in it, with all that is in them.
    #[must_use]
    pub fn html(&self) -> String {
        page::page(self)
    }

    /// The tables, for a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        text::text(self)
    }
}

fn millis<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    crate::call::millis(&Some(*duration), serializer)
}
