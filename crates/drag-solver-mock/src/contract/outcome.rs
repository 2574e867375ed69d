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
    /// The solver does not do what it must, and what it does instead.
    Violated(String),
}

impl Finding {
    /// Violated if there is an error, passed if not.
    pub(super) fn from_result(result: Result<(), String>) -> Self {
        match result {
            Ok(()) => Self::Passed,
            Err(what) => Self::Violated(what),
        }
    }
}

/// What all checks found. Its `Display` is one line per check.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[must_use = "a violated contract is only seen by looking: `assert!(report.is_clean(), \"{report}\")`"]
pub struct Report {
    findings: Vec<(&'static str, Finding)>,
    kinds: Vec<ErrorKind>,
}

impl Report {
    pub(super) fn add(&mut self, check: &'static str, finding: Finding) {
        self.findings.push((check, finding));
    }

    pub(super) fn add_kinds(&mut self, kinds: impl IntoIterator<Item = ErrorKind>) {
        self.kinds.extend(kinds);
    }

    /// Whether nothing was violated. Skipped checks are no violations.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.violated().next().is_none()
    }

    /// Every check, by name and in order, and what it found.
    #[must_use]
    pub fn findings(&self) -> &[(&'static str, Finding)] {
        &self.findings
    }

    /// The kinds of error that were [named](super::Subject::failing_with) and seen, in order.
    #[must_use]
    pub fn kinds(&self) -> &[ErrorKind] {
        &self.kinds
    }

    /// The names of the checks that were passed.
    pub fn passed(&self) -> impl Iterator<Item = &'static str> {
        let passed = |(check, finding): &(&'static str, Finding)| {
            (*finding == Finding::Passed).then_some(*check)
        };
        self.findings.iter().filter_map(passed)
    }

    /// The names of the checks that were skipped, and why.
    pub fn skipped(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.findings.iter().filter_map(|(check, finding)| {
            if let Finding::Skipped(why) = finding {
                Some((*check, why.as_str()))
            } else {
                None
            }
        })
    }

    /// The names of the checks that were violated, and how.
    pub fn violated(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.findings.iter().filter_map(|(check, finding)| {
            if let Finding::Violated(what) = finding {
                Some((*check, what.as_str()))
            } else {
                None
            }
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (check, finding) in &self.findings {
            match finding {
                Finding::Passed => writeln!(f, "passed    {check}")?,
                Finding::Skipped(why) => writeln!(f, "skipped   {check}: {why}")?,
                Finding::Violated(what) => writeln!(f, "VIOLATED  {check}: {what}")?,
            }
        }
        let (passed, skipped) = (self.passed().count(), self.skipped().count());
        let violated = self.violated().count();
        write!(f, "{passed} passed, {skipped} skipped, {violated} violated")?;
        if !self.kinds.is_empty() {
            let names: Vec<_> = self.kinds.iter().map(|kind| kind.as_str()).collect();
            write!(f, "; errors seen: {}", names.join(", "))?;
        }
        Ok(())
    }
}
