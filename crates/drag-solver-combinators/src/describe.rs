//! How a chain prints itself: like the code that built it.

use std::fmt::{Debug, Formatter, Result};

/// Writes `inner.method(setting: value, ..)`: with `{:?}` on one line, with `{:#?}` one call a line.
pub(crate) struct Call<'a, 'b> {
    f: &'a mut Formatter<'b>,
    so_far: Result,
    settings: usize,
}

impl<'a, 'b> Call<'a, 'b> {
    /// Begins with `inner.method(`.
    pub(crate) fn on(f: &'a mut Formatter<'b>, inner: &dyn Debug, method: &str) -> Self {
        let so_far = inner.fmt(f).and_then(|()| {
            let line = if f.alternate() { "\n    " } else { "" };
            write!(f, "{line}.{method}(")
        });
        Self {
            f,
            so_far,
            settings: 0,
        }
    }

    /// Begins with `name[solver, solver](`: for a combinator around several solvers.
    pub(crate) fn of<S: Debug>(f: &'a mut Formatter<'b>, name: &str, solvers: &[S]) -> Self {
        let so_far = f.write_str(name).and_then(|()| {
            f.debug_list().entries(solvers).finish()?;
            f.write_str("(")
        });
        Self {
            f,
            so_far,
            settings: 0,
        }
    }

    /// Adds `setting: value`.
    pub(crate) fn with(mut self, setting: &str, value: impl Debug) -> Self {
        let comma = if self.settings == 0 { "" } else { ", " };
        self.so_far = self
            .so_far
            .and_then(|()| write!(self.f, "{comma}{setting}: {value:?}"));
        self.settings += 1;
        self
    }

    /// Adds a value that needs no name.
    pub(crate) fn value(mut self, value: impl Debug) -> Self {
        let comma = if self.settings == 0 { "" } else { ", " };
        self.so_far = self
            .so_far
            .and_then(|()| write!(self.f, "{comma}{value:?}"));
        self.settings += 1;
        self
    }

    /// Closes the parenthesis.
    pub(crate) fn finish(self) -> Result {
        self.so_far.and_then(|()| self.f.write_str(")"))
    }
}

/// Prints by `Display` what `Debug` prints, for the combinator types listed.
macro_rules! display_like_debug {
    ($($combinator:ident),+) => {$(
        impl<S: drag_solver_core::DragSolver> std::fmt::Display for $combinator<S> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self, f)
            }
        }
    )+};
}

pub(crate) use display_like_debug;
