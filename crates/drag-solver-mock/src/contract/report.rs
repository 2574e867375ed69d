//! What the checks found.

use std::fmt;

use drag_solver_core::ErrorKind;

/// What one check found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The solver does what it must.
    Passed,
    /// The check could not be made, and why.
    Skipped(String),
    /// The check was [left out](super::SolverUnderTest::without), and why.
    LeftOut(String),
    /// The solver does not do what it must, and what it does instead.
    Failed(String),
}

impl Finding {
    /// What it is called in a report, and why.
    fn told(&self) -> (&'static str, &str) {
        match self {
            Self::Passed => ("passed", ""),
            Self::Skipped(why) => ("skipped", why),
            Self::LeftOut(why) => ("left out", why),
            Self::Failed(what) => ("FAILED", what),
        }
    }
}

/// What all checks found. Its `Display` is one line per check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a broken contract is only seen by looking: `assert!(report.passed(), \"{report}\")`"]
pub struct Report {
    pub(super) findings: Vec<(&'static str, Finding)>,
    pub(super) kinds: Vec<ErrorKind>,
}

impl Report {
    /// Whether no check failed. Checks that were not made are no failures.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.failed().next().is_none()
    }

    /// Every check, by name and in order, and what it found.
    #[must_use]
    pub fn findings(&self) -> &[(&'static str, Finding)] {
        &self.findings
    }

    /// The kinds of error that were [named](super::SolverUnderTest::failing_with) and seen, in order.
    #[must_use]
    pub fn kinds(&self) -> &[ErrorKind] {
        &self.kinds
    }

    /// The names of the checks that were left out on purpose, and why.
    pub fn left_out(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.called("left out")
    }

    /// The names of the checks that could not be made, and why. None of them was
    /// [left out](Self::left_out).
    pub fn skipped(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.called("skipped")
    }

    /// The names of the checks that failed, and what the solver did.
    pub fn failed(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.called("FAILED")
    }

    fn called(&self, name: &str) -> impl Iterator<Item = (&'static str, &str)> {
        let findings = self.findings.iter();
        let told = findings.map(|(check, finding)| (*check, finding.told()));
        told.filter_map(move |(check, (called, why))| (called == name).then_some((check, why)))
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, finding) in &self.findings {
            let (called, why) = finding.told();
            let colon = if why.is_empty() { "" } else { ": " };
            writeln!(f, "{called:<8} {check}{colon}{why}")?;
        }
        let [passed, skipped, failed, left_out] =
            ["passed", "skipped", "FAILED", "left out"].map(|name| self.called(name).count());
        write!(f, "{passed} passed, {skipped} skipped, {failed} failed")?;
        if left_out > 0 {
            write!(f, ", {left_out} left out")?;
        }
        if !self.kinds.is_empty() {
            let names: Vec<_> = self.kinds.iter().map(|kind| kind.as_str()).collect();
            write!(f, "; errors seen: {}", names.join(", "))?;
        }
        Ok(())
    }
}
